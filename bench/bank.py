"""A bank of many customers: what stands in its rows. Pure; the same bank each time.

Number n is a customer with one application, U-Shield, certificate and ten events. Ids and serial numbers are scattered
as random ones are; some names are far more frequent than others; one of the 400 branches has a fifth of everything.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ca.domain.applications import Case
from ca.domain.name_parts import parts_of

LARGEST = "Head Branch"
SMALLEST = "Branch 399"
_BRANCHES = 400
EVENTS_EACH = 10
OFFICERS = 4_000
_CRLS = 20_000
_HOUR, _DAY = 3_600, 86_400
_YEARS_SECONDS = 3 * 365 * _DAY
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
_EVENTS = (
    ("customer.registered", "customer", "officer"),
    ("device.registered", "device", "officer"),
    ("application.submitted", "application", "officer"),
    ("application.approved", "application", "officer"),
    ("codes.handed-out", "application", "officer"),
    ("certificate.intended", "serial", "signer"),
    ("certificate.issued", "serial", "customer"),
    ("certificate.confirmed", "serial", "customer"),
    ("customer.looked-at", "customer", "officer"),
    ("officer.signed-in", "officer", "officer"),
)
RARE_NAME = "Ouyang Xuehuan"

Values = tuple[str | int | bytes | bool | None, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows to come, and which columns they fill."""

    name: str
    columns: Sequence[str]
    rows: Iterator[Values]


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(word, sign) for word, _, sign in (one.partition(" ") for one in text.split(","))]


@dataclass(frozen=True, slots=True)
class Bank:
    """`der` is a certificate that every row shows; `now` in seconds since the epoch."""

    customers: int
    now: int
    der: bytes

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
        return LARGEST if mixed % 5 == 0 else f"Branch {mixed // 5 % _BRANCHES:03}"

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

    def state(self, n: int) -> str:
        """Of the application: the last thousandth is under way."""
        if n >= self.customers * 999 // 1000:
            return ("submitted", "approved", "codes-issued")[n % 3]
        return {0: "rejected", 1: "expired", 2: "expired", 3: "locked"}.get(n * 13 % 100, "completed")

    def at(self, n: int) -> int:
        """When n came, in the order of the numbers."""
        return self.now - _DAY - (self.customers - 1 - n) * (_YEARS_SECONDS - _DAY) // self.customers

    def officer(self, n: int) -> str:
        return f"E-{n * 48_271 % OFFICERS:05}"

    def tables(self) -> Iterator[Table]:
        """Everything there is, table by table."""
        every = range(self.customers)
        yield from self._people()
        yield from self._cases()
        yield Table("certificates", _CERTIFICATE, map(self._certificate, every))
        yield Table("audit_events", _EVENT, (row for n in every for row in self._events(n)))
        yield from self._ca()

    def _people(self) -> Iterator[Table]:
        every = range(self.customers)
        columns: tuple[str, ...] = (
            "id",
            "number",
            "kind",
            "name",
            "document_number",
            "email",
            "branch",
            "registered_by",
            "registered_at",
        )
        yield Table("customers", columns, map(self._customer, every))
        yield Table("name_parts", ("customer", "part", "branch"), (row for n in every for row in self._parts(n)))
        columns = ("id", "serial", "model", "branch", "state", "customer", "registered_by", "registered_at")
        yield Table("devices", columns, map(self._device, every))
        columns = ("id", "person", "name", "branch", "roles", "state", "version", "seal")
        yield Table("officers", columns, (self._officer(n) for n in range(OFFICERS)))
        columns = (
            *("id", "person", "name", "branch", "roles", "proposed_by", "approved_by", "state", "expires_at"),
            *("code_mac", "seal"),
        )
        yield Table("invitations", columns, (self._invitation(n) for n in range(OFFICERS)))

    def _customer(self, n: int) -> Values:
        return (
            self.customer(n), self.number(n), self.kind(n), self.name(n), self.document(n), f"c{n}@example.com",
            self.branch(n), self.officer(n), self.at(n),
        )  # fmt: skip

    def _parts(self, n: int) -> Iterator[Values]:
        return ((self.customer(n), part, self.branch(n)) for part in sorted(parts_of(self.name(n))))

    def _device(self, n: int) -> Values:
        state = "in-use" if n % 20 else ("in-stock", "lost", "blocked")[n // 20 % 3]
        owner = self.customer(n) if state != "in-stock" else ""
        serial = self.device(n)
        return (serial, serial, "U-Shield 3", self.branch(n), state, owner, self.officer(n), self.at(n))

    def _officer(self, n: int) -> Values:
        state = "active" if n % 10 else "left"
        return (f"o{n:05}", self.officer(n), self.name(n), self.branch(n), "ra-operator", state, 1, b"s" * 32)

    def _invitation(self, n: int) -> Values:
        state, till = ("redeemed" if n % 50 else "proposed"), self.at(n) + 7 * _DAY
        who = (self.officer(n), self.name(n), self.branch(n), "ra-operator", "E-00001", "E-00002")
        return (f"i{n:05}", *who, state, till, b"m" * 32, b"s" * 32)

    def _cases(self) -> Iterator[Table]:
        every, template = range(self.customers), _case_template()
        columns: tuple[str, ...] = (
            *("id", "profile", "customer", "customer_number", "customer_name", "document_number", "device_serial"),
            *(
                "branch",
                "maker_person",
                "maker_name",
                "submitted_at",
                "state",
                "reason",
                "updated_at",
                "case_json",
                "seal",
            ),
        )
        yield Table("applications", columns, (self._application(n, template) for n in every))
        columns = (
            *("application", "act", "subject", "subject_digest", "officer", "person", "credential_id", "client_data"),
            *("authenticator_data", "signature", "public_key", "at"),
        )
        yield Table("evidence", columns, map(self._evidence, every))
        columns = ("reference", "application", "code_mac", "state", "expires_at", "attempts_left", "request")
        yield Table("code_pairs", columns, map(self._codes, every))

    def _application(self, n: int, template: str) -> Values:
        name, application, at = self.name(n), self.application(n), self.at(n)
        case = (
            template.replace("<name>", name).replace("<application>", application).replace("<number>", self.number(n))
        )
        return (
            application, "personal-signing", self.customer(n), self.number(n), name, self.document(n), self.device(n),
            self.branch(n), self.officer(n), "Maria Lin", at, self.state(n), "", at, case, b"s" * 32,
        )  # fmt: skip

    def _evidence(self, n: int) -> Values:
        case, who = self.application(n), self.officer(n + 1)
        octets = (b"c" * 32, b"{" + b"d" * 150 + b"}", b"a" * 37, b"s" * 71, b"k" * 77)
        return (case, "approve-application", case, b"d" * 32, who, who, *octets, self.at(n))

    def _codes(self, n: int) -> Values:
        state = "open" if self.state(n) == "codes-issued" else "claimed"
        return (self.reference(n), self.application(n), b"m" * 32, state, self.at(n) + 14 * _DAY, 5, "")

    def _certificate(self, n: int) -> Values:
        status, issued = self.status(n), self.at(n) + _HOUR
        changed = issued + 30 * _DAY if status != "active" else None
        return (
            self.serial(n), "issuing", "personal-signing", self.der, _scattered(n, 4) * 2,
            f"CN={self.name(n)},O=Demo Bank,C=CN", self.application(n), self.customer(n), self.device(n),
            self.branch(n), issued, issued + 1095 * _DAY, issued, status, issued + 60, changed,
            {"revoked": 1, "on-hold": 6}.get(status), None,
        )  # fmt: skip

    def _events(self, n: int) -> Iterator[Values]:
        """Of one customer, in the order of the log."""
        officer, at = self.officer(n), self.at(n)
        subjects = {
            "customer": self.customer(n), "device": self.device(n), "application": self.application(n),
            "serial": self.serial(n), "officer": officer,
        }  # fmt: skip
        details = f'{{"branch":"{self.branch(n)}","profile":"personal-signing"}}'
        digest = subjects["customer"].encode()
        for step, (name, about, actor) in enumerate(_EVENTS):
            by = officer if actor == "officer" else actor
            yield (n * EVENTS_EACH + step + 1, name, subjects[about], by, at + step, details, digest, b"", digest[:16])

    def _ca(self) -> Iterator[Table]:
        columns: tuple[str, ...] = (
            "name",
            "number",
            "issuer",
            "base",
            "this_update",
            "next_update",
            "entries",
            "size",
            "sha256",
            "published",
        )
        names = ("issuing", "issuing-delta", "root")
        crls = (
            (names[n % 3], n + 1, "issuing", None, at, at + _HOUR, 90_000, 3_200_000, "ef" * 32, True)
            for n in range(_CRLS)
            for at in (self.now - (_CRLS - n) * _HOUR,)
        )
        yield Table("crls", columns, crls)
        columns = ("serial", "changed_at", "issuer", "became", "after_crl", "sightings", "stage")
        changed = (n for n in range(self.customers) if self.status(n) == "revoked")
        yield Table("receipts", columns, map(self._receipt, changed))
        jobs = ((f"job-{n}", self.now - n, n != 3, "nothing was due") for n in range(12))
        yield Table("job_runs", ("name", "ran_at", "ok", "result"), jobs)

    def _receipt(self, n: int) -> Values:
        # Statuses change all the time: the newest certificates' receipts are of today.
        at = (self.now - (self.customers - n) * _YEARS_SECONDS // self.customers) * 1000
        seen = [["ocsp", 1000, None, at + 40], ["crl", 3_600_000, at + 900_000, at + 960_000]]
        return (self.serial(n), at, "issuing", "revoked", 1, json.dumps(seen), "done")


_FAMILY, _GIVENS, _TRADE = _pairs(_FAMILIES), _pairs(_GIVEN), _pairs(_TRADES)
_CERTIFICATE = (
    *(
        "serial",
        "issuer",
        "profile",
        "der",
        "public_key",
        "subject",
        "application",
        "customer",
        "device_serial",
        "branch",
    ),
    *("not_before", "not_after", "issued_at", "status", "confirmed_at", "revoked_at", "reason", "predecessor"),
)
_EVENT = ("number", "name", "subject", "actor", "at", "details", "hash", "changes", "salt")
_SCATTER: Mapping[int, int] = {kind: int(sha256(bytes([kind])).hexdigest()[:32], 16) | 1 for kind in range(8)}


def _scattered(n: int, kind: int) -> str:
    """32 digits, different for each n, in no order."""
    return f"{(n + 1) * _SCATTER[kind] % 2**128:032x}"


def _case_template() -> str:
    case = Case(
        application="<application>",
        version=1,
        profile="personal-signing",
        profile_digest="ab" * 32,
        customer="<customer>",
        customer_number="<number>",
        customer_name="<name>",
        document_number="310101199003071234",
        subject=(
            ("country", "CN"),
            ("organization", "Demo Bank"),
            ("common_name", "<name>"),
            ("serial_number", "<number>"),
        ),
        alternative_names=(("email", "customer@example.com"),),
        device_serial="US0000000001",
        validity=timedelta(days=1095),
        branch=LARGEST,
        maker_person="E-00001",
        maker_name="Maria Lin",
        submitted_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return case.sealed_fields().decode()
