"""How a tokenizer is written as ``tokenizer.json``, the form that Hugging Face's library reads."""

from typing import Any

from minitx.tokens.files import to_json
from minitx.tokens.special import FIRST, SECOND, SpecialTokens


def tokenizer_json(special: SpecialTokens, parts: dict[str, Any]) -> str:
    """The file's text: the added tokens and the template around the kind's own ``parts``."""
    added = [
        {
            "id": token.id,
            "content": token.content,
            "single_word": False,
            "lstrip": token.lstrip,
            "rstrip": token.rstrip,
            "normalized": False,
            "special": token.special,
        }
        for token in special.added
    ]
    head = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    return to_json({**head, "post_processor": _template(special), **parts})


def _template(special: SpecialTokens) -> dict[str, Any]:
    used: dict[str, Any] = {}

    def written(parts: Any) -> list[dict[str, Any]]:
        out = []
        for name, type_id in parts:
            kind = "Sequence" if name in (FIRST, SECOND) else "SpecialToken"
            if kind == "SpecialToken":
                used[name] = {"id": name, "ids": [special.ids[name]], "tokens": [name]}
            inner = name[1:] if kind == "Sequence" else name
            out.append({kind: {"id": inner, "type_id": type_id}})
        return out

    single, pair = written(special.template.single), written(special.template.pair)
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": used}
