"""What customers are told when something happened to a certificate of theirs, and by which way.

A notice names the certificate by the last digits of its serial number and carries no link: customers are told that the
bank's messages have none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from ca.domain.accounts import Channel, Language


class Notice(Enum):
    """What happened: in English and in Chinese; `{name}` is filled in."""

    ACTIVE = ("It is on your U-Shield and active.", "已下载到您的U盾并生效。")
    HELD_BY_BANK = ("The bank put it on hold. Ask your branch why.", "银行已将其暂停。原因请咨询网点。")
    RELEASED = ("The bank lifted the hold: it is active.", "银行已恢复：证书重新有效。")
    REVOKED = ("The bank ended it. Ask your branch for a new one.", "银行已将其吊销。新证书请到网点申请。")
    LOST = (
        "It is on hold: you reported your U-Shield as lost. Your branch can release it.",
        "已暂停：您报告U盾丢失。网点可以恢复。",
    )
    CANCELLED = (
        "You cancelled it: it is on hold, and ends in 24 hours unless you undo that.",
        "您已注销：证书已暂停，24 小时内未撤回即永久失效。",
    )
    CANCELLATION_UNDONE = ("You undid its cancellation: it holds again.", "您已撤回注销：证书重新有效。")
    ENDED_AS_ASKED = (
        "It has ended, as you asked a day ago. This cannot be undone.",
        "按您一天前的要求，已永久失效，无法撤回。",
    )
    ENDED_BY_KEY = (
        "It has ended: you cancelled it with your U-Shield. This cannot be undone.",
        "您已用U盾注销，证书永久失效，无法撤回。",
    )
    UNLOCK_ALLOWED = (
        "The bank allowed its U-Shield to be unlocked. Not asked by you? Call us.",
        "银行已批准解锁存有它的U盾。如不是您申请的，请致电我们。",
    )
    UNLOCKED = (
        "Its U-Shield was unlocked and has a new certificate password.",
        "存有它的U盾已解锁，并设置了新的证书密码。",
    )
    COMPANY_APPLIED = ("It was used to apply for a certificate for {name}.", "已用它为{name}申请证书。")
    COMPANY_HELD = (
        "Your company's administrator put it on hold. Only your branch can release it.",
        "贵公司管理员已将其暂停。只有网点可以恢复。",
    )
    COMPANY_USED_TO_HOLD = (
        "It was used to hold the certificate of {name}.",
        "已用它暂停{name}的证书。",
    )


class Way(StrEnum):
    """How a message travels."""

    EMAIL = "email"
    SMS = "sms"


@dataclass(frozen=True, slots=True)
class Message:
    """For one way and one address."""

    way: Way
    to: str
    subject: str
    text: str


_SUBJECT = {Language.ENGLISH: "{bank}: your certificate", Language.CHINESE: "{bank}：您的证书"}
_CERTIFICATE = {
    Language.ENGLISH: "Your certificate ending in {serial}: ",
    Language.CHINESE: "您的证书（尾号{serial}）：",
}
_NOT_YOU = {
    Language.ENGLISH: "If this was not you, call the hotline at once: {hotline}.",
    Language.CHINESE: "如非本人操作，请立即致电客服热线：{hotline}。",
}
_CODE = {
    Language.ENGLISH: (
        "Your authorization code is {code}. You need it once, with the reference number from your branch, before "
        "{until}. Tell it to nobody: the bank never asks for it."
    ),
    Language.CHINESE: (
        "您的授权码：{code}。请在 {until} 前与网点给您的参考号一起使用一次。请勿告诉任何人，银行绝不会向您索要。"
    ),
}
_NO_LINK = {
    Language.ENGLISH: "This message has no link; we never send one. Type the bank's address yourself.",
    Language.CHINESE: "本消息不含链接；我们从不发送链接。请自行输入银行网址。",
}


def messages(
    notice: Notice,
    fields: Mapping[str, str],
    *,
    serial: str,
    bank: str,
    hotline: str,
    language: Language,
    channel: Channel,
    addresses: Mapping[Way, str],
) -> list[Message]:
    """One for each way the customer chose, else for those there is an address for: nobody goes untold."""
    english, chinese = notice.value
    what = (chinese if language is Language.CHINESE else english).format(**fields)
    head = _CERTIFICATE[language].format(serial=serial[-6:]) + what
    return _by_each_way(head, bank=bank, hotline=hotline, language=language, channel=channel, addresses=addresses)


def code_messages(
    code: str,
    until: datetime,
    *,
    bank: str,
    hotline: str,
    language: Language,
    channel: Channel,
    addresses: Mapping[Way, str],
) -> list[Message]:
    """The authorization code by the ways of `messages`; in the text alone, for subjects are shown on locked screens."""
    head = _CODE[language].format(code=code, until=f"{until:%Y-%m-%d %H:%M} UTC")
    return _by_each_way(head, bank=bank, hotline=hotline, language=language, channel=channel, addresses=addresses)


def masked(message: Message) -> str:
    """Where a message went, for somebody who knows the address: `z•••@bank.example`, `••• 8000`."""
    if message.way is Way.SMS:
        return f"••• {message.to[-4:]}"
    name, _, domain = message.to.rpartition("@")
    return f"{name[:1]}•••@{domain}"


def _by_each_way(
    head: str, *, bank: str, hotline: str, language: Language, channel: Channel, addresses: Mapping[Way, str]
) -> list[Message]:
    help_ = _NOT_YOU[language].format(hotline=hotline)
    subject = _SUBJECT[language].format(bank=bank)
    texts = {Way.EMAIL: f"{head}\n\n{help_}\n{_NO_LINK[language]}\n", Way.SMS: f"{bank}: {head} {help_}"}
    known = [way for way in Way if addresses.get(way)]
    wanted = [way for way in known if channel in {Channel.BOTH, Channel(way.value)}] or known
    return [Message(way, addresses[way], subject, texts[way]) for way in wanted]
