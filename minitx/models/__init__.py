"""Models: the slots, filled. Each is a page of code; nothing here is an idea of its own."""

from minitx.models.decoder import Decoder
from minitx.models.encoder import Classifier, Encoder, MaskedLM, SentenceEmbedding
from minitx.models.encoder_decoder import EncoderDecoder
from minitx.models.folding import folded
from minitx.models.initialise import initialise
from minitx.models.label_tree import CascadeXML, LabelTree
from minitx.models.multi_sentence import MultiSentence
from minitx.models.pooling import first_token, max_pool, mean_pool, unit
from minitx.models.scoring import BiEncoder, CrossEncoder, PolyEncoder
from minitx.models.vision import ViT
from minitx.models.xcit import XCiT

__all__ = [
    "BiEncoder",
    "CascadeXML",
    "Classifier",
    "CrossEncoder",
    "Decoder",
    "Encoder",
    "EncoderDecoder",
    "LabelTree",
    "MaskedLM",
    "MultiSentence",
    "PolyEncoder",
    "SentenceEmbedding",
    "ViT",
    "XCiT",
    "first_token",
    "folded",
    "initialise",
    "max_pool",
    "mean_pool",
    "unit",
]
