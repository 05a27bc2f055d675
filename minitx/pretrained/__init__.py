"""Weights that others have trained, in the files that people have them in.

``load("folder")`` reads a folder in the Hugging Face layout: BERT, GPT-2, Llama, Mistral and ViT, a
file each in this room. Files are data: none is ever unpickled or run.
"""

from minitx.pretrained.find import find
from minitx.pretrained.load import Pretrained, load
from minitx.pretrained.sentences import SentenceEncoder

__all__ = ["Pretrained", "SentenceEncoder", "find", "load"]
