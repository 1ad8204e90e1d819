"""What attention of a text over an image's tokens reads, order by order, and heads that read it."""

from fusiontheory.tokens.heads import TOKEN_HEADS, TokenHead, find_token_head
from fusiontheory.tokens.orders import (
    IMAGE_ORDERS,
    TEXT_ORDERS,
    first_order_answer,
    query_pair,
    symmetric_vector,
    token_covariance,
    token_mean,
)

__all__ = [
    "IMAGE_ORDERS",
    "TEXT_ORDERS",
    "TOKEN_HEADS",
    "TokenHead",
    "find_token_head",
    "first_order_answer",
    "query_pair",
    "symmetric_vector",
    "token_covariance",
    "token_mean",
]
