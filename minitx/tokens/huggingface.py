"""Tokenizers as people have them: tokenizer.json, vocab.txt, or vocab.json with merges.txt.

Slot: tokens. What a file asks for is either built exactly or refused by name: a component that is
passed over in silence would change tokens in silence. BERT's WordPiece and byte-level BPE as GPT-2,
RoBERTa and Llama 3 have it are read. Truncation and padding settings are left to ``batch``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minitx.tokens.bpe import ByteBPE
from minitx.tokens.files import expect, read_file, read_json
from minitx.tokens.pretokenize import PATTERNS, ByteLevel, Digits, Split, Step
from minitx.tokens.special import FIRST, SECOND, AddedToken, SpecialTokens, Template
from minitx.tokens.tokenizer import Tokenizer
from minitx.tokens.wordpiece import BERT_ROLES, BertNormalizer, WordPiece, bert_special

Config = Mapping[str, Any]
ROLES = ("pad", "unk", "cls", "sep", "mask", "bos", "eos")


def load(path: str | Path) -> Tokenizer:
    """The tokenizer in a folder, or in a ``tokenizer.json``.

    Raises ``FileNotFoundError`` if the folder holds none of the three forms, ``ValueError`` for a
    component that minitx does not have or a file that is not what it should be.
    """
    path = Path(path)
    folder = path.parent if path.is_file() else path
    if path.is_file() or (folder / "tokenizer.json").is_file():
        file = path if path.is_file() else folder / "tokenizer.json"
        try:
            return from_tokenizer_json(read_json(file), read_roles(folder), str(file))
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"{file} is no tokenizer that can be read: {error!r}") from error
    if (folder / "vocab.txt").is_file():
        return _from_vocab_txt(folder)
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        return _from_vocab_and_merges(folder)
    raise FileNotFoundError(
        f"{folder} expected tokenizer.json, vocab.txt, or vocab.json with merges.txt, found none"
    )


def from_tokenizer_json(config: Config, roles: Config, where: str) -> Tokenizer:
    """The tokenizer that the content of a ``tokenizer.json`` describes."""
    model = expect(config.get("model"), dict, f"{where}: model")
    build = {"WordPiece": _wordpiece, "BPE": _byte_bpe}.get(_kind(model, where, "model"))
    vocab = expect(model.get("vocab"), dict, f"{where}: model.vocab")
    if build is None:
        _refuse(where, "model", model)
    added = [_added(token, config, where) for token in config.get("added_tokens") or []]
    present = {role: token for role, token in roles.items() if token in {t.content for t in added}}
    template = _template(config.get("post_processor"), where)
    return build(config, model, vocab, SpecialTokens(added, template, present), where)


def read_roles(folder: Path) -> dict[str, str]:
    """Which token is "pad", "eos", ...: from ``special_tokens_map.json`` and the config."""
    roles = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        config = read_json(folder / name) if (folder / name).is_file() else {}
        for role in ROLES:
            token = config.get(f"{role}_token")
            token = token.get("content") if isinstance(token, dict) else token
            if isinstance(token, str):
                roles[role] = token
    return roles


def _refuse(where: str, part: str, value: Any) -> None:
    named = value.get("type", value) if isinstance(value, dict) else value
    raise ValueError(f"{where}: {part} {named!r} is not one that minitx can build")


def _kind(value: Any, where: str, part: str) -> str | None:
    """The type that a component names. Old files leave the model's out; it shows by its keys."""
    if value is None:
        return None
    expect(value, dict, f"{where}: {part}")
    if "type" not in value and part == "model":
        return "BPE" if "merges" in value else "WordPiece"
    return expect(value.get("type"), str, f"{where}: {part}.type")


def _only(value: Config, allowed: Config, where: str, part: str) -> None:
    """Refuse a setting that has any but its allowed values."""
    for key, values in allowed.items():
        if value.get(key) not in values:
            _refuse(where, f"{part}.{key} =", value[key])


def _added(token: Any, config: Config, where: str) -> AddedToken:
    expect(token, dict, f"{where}: added_tokens")
    content = expect(token.get("content"), str, f"{where}: added_tokens.content")
    if token.get("single_word"):
        _refuse(where, "single_word for the added token", content)
    if token.get("normalized") and config.get("normalizer"):
        _refuse(where, "a normalizer applied to the added token", content)
    flags = (bool(token.get(key)) for key in ("special", "lstrip", "rstrip"))
    return AddedToken(content, expect(token.get("id"), int, f"{where}: added_tokens.id"), *flags)


def _template(post: Any, where: str) -> Template:
    """The frame that a post-processor puts around the text."""
    kind = _kind(post, where, "post_processor")
    if kind is None or kind == "ByteLevel":  # ByteLevel only moves offsets
        return Template()
    if kind == "Sequence":
        templates = [_template(inner, where) for inner in post["processors"]]
        framing = [template for template in templates if template != Template()]
        if len(framing) > 1:
            _refuse(where, "more than one template in post_processor", post)
        return framing[0] if framing else Template()
    if kind == "TemplateProcessing":
        return Template(_parts(post["single"]), _parts(post["pair"]))
    if kind not in ("BertProcessing", "RobertaProcessing"):
        _refuse(where, "post_processor", post)
    cls, sep = (post["cls"][0], 0), (post["sep"][0], 0)
    first = (cls, (FIRST, 0), sep)
    if kind == "BertProcessing":
        return Template(first, (*first, (SECOND, 1), (sep[0], 1)))
    return Template(first, (*first, sep, (SECOND, 0), sep))


def _parts(parts: list[Config]) -> tuple[tuple[str, int], ...]:
    out = []
    for part in parts:
        ((kind, inner),) = part.items()
        names = {"A": FIRST, "B": SECOND} if kind == "Sequence" else {}
        out.append((names.get(inner["id"], inner["id"]), inner["type_id"]))
    return tuple(out)


def _wordpiece(
    config: Config, model: Config, vocab: Config, special: SpecialTokens, where: str
) -> WordPiece:
    normalizer = config.get("normalizer")
    if _kind(normalizer, where, "normalizer") != "BertNormalizer":
        _refuse(where, "normalizer", normalizer)
    if _kind(config.get("pre_tokenizer"), where, "pre_tokenizer") != "BertPreTokenizer":
        _refuse(where, "pre_tokenizer", config.get("pre_tokenizer"))
    settings = {key: value for key, value in normalizer.items() if key != "type"}
    usual = {role: token for role, token in BERT_ROLES.items() if token in special.ids}
    special = SpecialTokens(special.added, special.template, {**usual, **special.roles})
    return WordPiece(
        vocab,
        BertNormalizer(**settings),
        special,
        model.get("unk_token", "[UNK]"),
        model.get("continuing_subword_prefix", "##"),
        model.get("max_input_chars_per_word", 100),
    )


def _byte_bpe(
    config: Config, model: Config, vocab: Config, special: SpecialTokens, where: str
) -> ByteBPE:
    if config.get("normalizer") is not None:
        _refuse(where, "normalizer", config["normalizer"])
    neutral = {
        "dropout": (None, 0, 0.0),
        "continuing_subword_prefix": (None, ""),
        "end_of_word_suffix": (None, ""),
        "byte_fallback": (None, False),
    }
    _only(model, neutral, where, "model")
    steps = _steps(config.get("pre_tokenizer"), where)
    if [i for i, step in enumerate(steps) if isinstance(step, ByteLevel)] != [len(steps) - 1]:
        _refuse(where, "a pre_tokenizer that does not end in ByteLevel:", config["pre_tokenizer"])
    merges = [_pair(line, where) for line in expect(model.get("merges"), list, f"{where}: merges")]
    return ByteBPE(vocab, merges, steps, special, bool(model.get("ignore_merges")))


def _steps(value: Any, where: str) -> list[Step]:
    kind = _kind(value, where, "pre_tokenizer")
    if kind == "Sequence":
        return [step for inner in value["pretokenizers"] for step in _steps(inner, where)]
    if kind == "ByteLevel":
        return [ByteLevel(value.get("add_prefix_space", True), value.get("use_regex", True))]
    if kind == "Digits":
        _only(value, {"individual_digits": (True,)}, where, "Digits")
        return [Digits()]
    if kind != "Split":
        _refuse(where, "pre_tokenizer", value)
    _only(value, {"behavior": ("Isolated",), "invert": (False,)}, where, "Split")
    pattern = value["pattern"].get("Regex")
    for name, known in PATTERNS.items():
        if pattern == known:
            return [Split(name)]
    return _refuse(where, "the pattern", value["pattern"])


def _pair(line: Any, where: str) -> tuple[str, str]:
    """A merge, written as ``"a b"`` or ``["a", "b"]``."""
    pair = line.split(" ") if isinstance(line, str) else line
    if not isinstance(pair, list) or list(map(type, pair)) != [str, str]:
        raise ValueError(f"{where}: a merge expected two tokens, got {line!r}")
    return pair[0], pair[1]


def _from_vocab_txt(folder: Path) -> WordPiece:
    config = {}
    if (folder / "tokenizer_config.json").is_file():
        config = read_json(folder / "tokenizer_config.json")
    lines = read_file(folder / "vocab.txt").removesuffix("\n").split("\n")
    vocab = {line.removesuffix("\r"): id_ for id_, line in enumerate(lines)}
    if len(vocab) != len(lines):
        raise ValueError(f"{folder / 'vocab.txt'} expected a token a line, got one twice")
    normalizer = BertNormalizer(
        handle_chinese_chars=config.get("tokenize_chinese_chars", True),
        strip_accents=config.get("strip_accents"),
        lowercase=config.get("do_lower_case", True),
    )
    return WordPiece(vocab, normalizer, bert_special(vocab))


def _from_vocab_and_merges(folder: Path) -> ByteBPE:
    vocab = read_json(folder / "vocab.json")
    where = str(folder / "merges.txt")
    lines = read_file(folder / "merges.txt").replace("\r\n", "\n").split("\n")
    lines = lines[1:] if lines[0].startswith("#version") else lines
    merges = [_pair(line, where) for line in lines if line]
    roles = read_roles(folder)
    if "<|endoftext|>" in vocab:  # GPT-2's only special token
        roles = {"bos": "<|endoftext|>", "eos": "<|endoftext|>", **roles}
    roles = {role: token for role, token in roles.items() if token in vocab}
    added = [AddedToken(token, vocab[token]) for token in dict.fromkeys(roles.values())]
    return ByteBPE(vocab, merges, special=SpecialTokens(added, roles=roles))
