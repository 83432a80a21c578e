"""The demo: a small newsroom on loopback, with written articles, for ``wirewatch demo``, the tests and the benches."""

from pipeline.demo.newsroom import Newsroom, NewsroomArticle, NewsroomFeed

__all__ = ["Newsroom", "NewsroomArticle", "NewsroomFeed"]
