"""What the sealed letters of a branch say."""

from typing import Any

from admin.formats import when
from admin.paper import Both, SealedLetter

_SECRECY: Both = (
    "Tell it to nobody: the bank never asks for it. Was this letter open when you got it? Call your branch.",
    "请勿告诉任何人，银行绝不会向您索要。如收到时信函已被拆开，请立即联系网点。",
)
_TYPED: Both = (
    (
        "You need it once, with the reference number on your receipt, to download your certificate: type it in the "
        "window of the U-Shield tool when it asks for it."
    ),
    "下载证书时，请在U盾工具的窗口中输入一次，并配合回单上的参考号使用。",
)
_TYPED_FOR_COMPANY: Both = (
    (
        "You need it once, to download your certificate: type it in the window of the U-Shield tool when it asks for "
        "it. Your company's administrator gives you the reference number."
    ),
    "下载证书时，请在U盾工具的窗口中输入一次。参考号由贵公司管理员提供。",
)
_SENT: Both = (
    "The system that enrols sends it once, as password; the reference number on your receipt is the user name.",
    "由申请证书的系统作为密码发送一次，用户名为回单上的参考号。",
)


def code_letter(case: dict[str, Any], code: str, expires_at: str, *, bank: str) -> SealedLetter:
    """The authorization code alone: whoever finds the letter has one of two codes."""
    use = _TYPED if case["device_serial"] else _SENT
    return SealedLetter(
        bank=bank,
        branch=case["branch"],
        addressee=case["customer_name"],
        title=("Your authorization code", "您的授权码"),
        code=code,
        paragraphs=(
            _TYPED_FOR_COMPANY if case.get("asked") else use,
            _until(expires_at),
            _SECRECY,
            ("Destroy this letter once you have your certificate.", "取得证书后，请销毁本信函。"),
        ),
    )


def portal_letter(name: str, branch: str, letter: dict[str, Any], *, bank: str, portal: str) -> SealedLetter:
    """What sets a login password: customer number and code, for the customer knows the number anyway."""
    number = letter["number"]
    return SealedLetter(
        bank=bank,
        branch=branch,
        addressee=name,
        title=("Your code for the login password", "您的登录密码设置代码"),
        code=letter["code"],
        paragraphs=(
            (
                (
                    f"Open {portal}/first-password and type it once, with your customer number {number}, to set your "
                    "login password."
                ),
                f"请打开 {portal}/first-password ，输入一次本代码和您的客户号 {number} ，设置登录密码。",
            ),
            _until(letter["expires_at"]),
            _SECRECY,
            (
                "The login password is not the password of your U-Shield, which no page ever asks for.",
                "登录密码不是U盾的证书密码，任何网页都不会向您索要证书密码。",
            ),
        ),
    )


def _until(expires_at: str) -> Both:
    return f"Use it before {when(expires_at)}.", f"请在 {when(expires_at)} 前使用。"
