"""A bank of many customers: who each of them is. Pure; the same bank each time.

Number n is a customer with one application, U-Shield, certificate and ten events; one in twenty applied a second time.
Ids and serial numbers are scattered as random ones are; some names are far more frequent than others; one of the 400
branches has a fifth of everything. What stands in which table is made of this by bench/bank_tables.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

LARGEST = "Head Branch"
SMALLEST = "Branch 399"
BRANCHES = [f"Branch {number:03}" for number in range(400)] + [LARGEST]
EVENTS_EACH = 10
OFFICERS = 4_000
DAY = 86_400
YEARS_SECONDS = 3 * 365 * DAY
_FAMILIES = (
    "Wang 王,Li 李,Zhang 张,Liu 刘,Chen 陈,Yang 杨,Huang 黄,Zhao 赵,Wu 吴,Zhou 周,Xu 徐,Sun 孙,Ma 马,Zhu 朱,Hu 胡,"
    "Guo 郭,He 何,Lin 林,Gao 高,Luo 罗,Zheng 郑,Liang 梁,Xie 谢,Song 宋,Tang 唐,Deng 邓,Feng 冯,Han 韩,Cao 曹,"
    "Zeng 曾,Peng 彭,Xiao 萧"
)
_GIVEN = (
    "Wei 伟,Fang 芳,Na 娜,Min 敏,Jing 静,Li 丽,Qiang 强,Lei 磊,Jun 军,Yang 洋,Yong 勇,Yan 艳,Jie 杰,Juan 娟,"
    "Tao 涛,Ming 明,Chao 超,Xiu 秀,Xia 霞,Ping 平,Gang 刚,Gui 桂,Hua 华,Hong 红,Mei 梅,Bo 波,Hui 辉,Ling 玲,"
    "Fei 飞,Xin 鑫,Yu 玉,Dan 丹,Kai 凯,Rui 瑞"
)
_TRADES = "Trading 贸易,Steel 钢铁,Textile 纺织,Software 软件,Logistics 物流,Foods 食品,Energy 能源,Chemical 化工"
RARE_NAME = "Ouyang Xuehuan"
BATCH_EVERY, BATCH_SIZE = 500, 20


class Seed(NamedTuple):
    """A customer as the other tables are made of one. Instants are seconds since the epoch."""

    n: int
    customer: str
    number: str
    kind: str
    name: str
    document: str
    branch: str
    officer: str
    """Who did everything for this customer, by employee number; `officer_id` is the same by id."""
    officer_id: str
    checker: str
    at: int
    application: str
    batch: str
    serial: str
    public_key: str
    device: str
    reference: str
    status: str
    second: str
    """Another application of theirs, as its id is; empty when there is none."""
    second_state: str
    second_reference: str
    mark: bytes
    """32 octets that nobody else's rows have."""


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(word, sign) for word, _, sign in (one.partition(" ") for one in text.split(","))]


@dataclass(frozen=True, slots=True)
class Bank:
    """`der` is a certificate that every row shows, `issuer` its CA's, `request` the request for it; `now` in seconds
    since the epoch."""

    customers: int
    now: int
    der: bytes
    issuer: bytes
    request: bytes

    def customer(self, n: int) -> str:
        return _scattered(n, 1)

    def application(self, n: int) -> str:
        return _scattered(n, 2)

    def serial(self, n: int) -> str:
        return f"1{_scattered(n, 3)}"

    def device(self, n: int) -> str:
        return f"US{n:010}"

    def number(self, n: int) -> str:
        return f"6222{n * 7_919 % 10**9:09}"

    def document(self, n: int) -> str:
        return f"310101{n * 104_729 % 10**12:012}"

    def reference(self, n: int) -> str:
        return f"{n * 15_485_863 % 10**10:010}"

    def branch(self, n: int) -> str:
        mixed = n * 2_654_435_761 % 2**32 >> 8
        return LARGEST if mixed % 5 == 0 else BRANCHES[mixed // 5 % 400]

    def kind(self, n: int) -> str:
        return "company" if n % 37 == 0 else "person"

    def name(self, n: int) -> str:
        """Some far more often than others: one in six is a Wang; one in three is written in characters."""
        if n == self.customers // 2:
            return RARE_NAME
        mixed = int.from_bytes(sha256(n.to_bytes(8, "big")).digest()[:8], "big")
        mixed, first = divmod(mixed, 1 << 20)
        # The first families are the most frequent: squared, a uniform number falls to the small ones.
        family = _FAMILY[int((first / (1 << 20)) ** 2 * len(_FAMILY))]
        mixed, one = divmod(mixed, len(_GIVENS))
        mixed, two = divmod(mixed, 2 * len(_GIVENS))
        given = [_GIVENS[one], *_GIVENS[two : two + 1]]
        in_signs = mixed % 3 == 0
        if self.kind(n) == "company":
            trade = _TRADE[mixed % len(_TRADE)]
            if in_signs:
                return f"上海{family[1]}{given[0][1]}{trade[1]}有限公司"
            return f"{family[0]} {given[0][0]} {trade[0]} Co., Ltd. {n}"
        if in_signs:
            return family[1] + "".join(sign for _word, sign in given)
        return f"{family[0]} {given[0][0]}{''.join(word.lower() for word, _sign in given[1:])}"

    def status(self, n: int) -> str:
        share = n * 31 % 100
        return "revoked" if share < 9 else "on-hold" if share < 10 else "active"

    def second_state(self, n: int) -> str:
        """Of the second application; empty when there is none. Those of the last thousandth are under way."""
        if n >= self.customers * 999 // 1000:
            return ("submitted", "approved", "codes-issued")[n % 3]
        return {0: "rejected", 1: "expired", 2: "expired", 3: "locked", 4: "withdrawn"}.get(n * 13 % 100, "")

    def at(self, n: int) -> int:
        """When n came, in the order of the numbers."""
        return self.now - DAY - (self.customers - 1 - n) * (YEARS_SECONDS - DAY) // self.customers

    def officer(self, n: int) -> str:
        return f"E-{n * 48_271 % OFFICERS:05}"

    def officer_id(self, n: int) -> str:
        return f"o{n % OFFICERS:05}"

    def batch(self, n: int) -> str:
        """Of the application; the first customers of every 500 came in one batch."""
        return f"b{n // BATCH_EVERY:06}" if n % BATCH_EVERY < BATCH_SIZE else ""

    def seeds(self) -> Iterator[Seed]:
        """Everybody, once and in order."""
        for n in range(self.customers):
            customer, state = self.customer(n), self.second_state(n)
            yield Seed(
                n, customer, self.number(n), self.kind(n), self.name(n), self.document(n), self.branch(n),
                self.officer(n), self.officer_id(n), self.officer(n + 1), self.at(n), self.application(n),
                self.batch(n), self.serial(n), _scattered(n, 4) * 2, self.device(n), self.reference(n), self.status(n),
                _scattered(n, 5) if state else "", state, f"9{n:010}" if state else "", customer.encode(),
            )  # fmt: skip


_FAMILY, _GIVENS, _TRADE = _pairs(_FAMILIES), _pairs(_GIVEN), _pairs(_TRADES)
_SCATTER: Mapping[int, int] = {kind: int(sha256(bytes([kind])).hexdigest()[:32], 16) | 1 for kind in range(8)}


def _scattered(n: int, kind: int) -> str:
    """32 digits, different for each n, in no order."""
    return f"{(n + 1) * _SCATTER[kind] % 2**128:032x}"
