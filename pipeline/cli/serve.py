"""``wirewatch serve``: the built-in page, in a browser."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from typing import Annotated

import typer
from rich.text import Text

from pipeline.cli.run import begin_logging
from pipeline.cli.terminal import FAILED, Data, complain, existing, out, reporting, settings_for

PORT = 8484


def add_to(app: typer.Typer) -> None:
    app.command("serve")(serve)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 for any that is free.")] = PORT,
    name: Annotated[
        list[str] | None, typer.Option(help="A host name under which the page may be asked for; may be repeated.")
    ] = None,
    data: Data = None,
) -> None:
    """Show what there is in a browser: search, articles, names, feeds, operations.

    Reached from this machine alone it asks for nothing. Anywhere else it asks for a token: WIREWATCH_TOKEN, or one
    that is made for this run and printed.
    """
    # Not above: --help does not wait for the web's libraries.
    import uvicorn

    from pipeline.web import application

    with reporting():
        settings = existing(settings_for(data))
        begin_logging(to_terminal=True, quiet=True)
        listener = _listen(host, port)
        local = _is_local(host)
        given = settings.token.get_secret_value() if settings.token else None
        token = given if given or local else secrets.token_urlsafe(24)
        app = application(settings, token=token, names_=[*(name or ()), *_own_names(local)])
        where = f"http://{_shown(host)}:{listener.getsockname()[1]}/"
        out.print(Text.assemble("Wirewatch is at ", (where, "bold"), "   (Ctrl-C ends it)"))
        if token and not given:
            out.print(Text.assemble("It asks for this token: ", (token, "bold")))
            out.print(Text("  set WIREWATCH_TOKEN to choose one that stays", style="dim"))
        if not local:
            out.print(Text("  the connection is not encrypted; put a proxy with TLS before it", style="dim"))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            timeout_keep_alive=15,
            timeout_graceful_shutdown=2,
            limit_concurrency=400,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Ends with a sentence where that cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)  # from now on a browser waits in line, and is not refused
    except OSError as error:
        complain(f"cannot listen at {host} port {port}: {error.strerror or error}; --port takes another")
        raise typer.Exit(FAILED) from error
    return listener


def _is_local(host: str) -> bool:
    """Whether only this machine can reach a page there."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _own_names(local: bool) -> list[str]:
    """What this machine is called, by which others may ask for the page."""
    return [] if local else [socket.gethostname(), socket.getfqdn()]


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
