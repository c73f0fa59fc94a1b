"""Values as people keep them secret, for hypothesis."""

from hypothesis import strategies as st

from vezaflow.redact import weakness

_LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHIJKLMNPQRSTUVWXYZ"
_BASE64 = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", min_size=12, max_size=40)
_LINES = st.lists(_BASE64, min_size=2, max_size=4)
_WORDS = st.lists(st.text(_LETTERS, min_size=2, max_size=9), min_size=2, max_size=5)

TOKENS = st.builds("{}{}".format, _BASE64, st.sampled_from(["", "=", "=="]))
KEYS = _LINES.map(lambda lines: "\n".join(["-----BEGIN KEY-----", *lines, "-----END KEY-----"]))
PHRASES = st.builds(lambda words, gap: gap.join(words), _WORDS, st.sampled_from([" ", "  ", "\t", "\n"]))
SIGNS = st.text(_LETTERS + "'\"|`<>&%+/\\={}[]()*_~#!$;:,.?@^-", min_size=9, max_size=30)
FOREIGN = st.text(_LETTERS + "äöüéèñçžšłøåæ€日本語пароль", min_size=8, max_size=20)

SECRETS = st.one_of(TOKENS, KEYS, PHRASES, SIGNS, FOREIGN).filter(lambda value: not weakness(value))
