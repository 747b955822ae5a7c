"""The servers that stand beside our EIR in bench/eir.py, each run as a process of its own.

python -m bench._eir_servers echo PORT              a plain TCP echo: what the loop and the kernel cost
python -m bench._eir_servers python-diameter PORT   the Python package of that name, answering from a set of numbers
"""

import asyncio
import sys
import threading

from bench._eir_client import HOST, OTHER_HOST, REALM, S13


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


def echo(port: int) -> None:
    import uvloop

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


def python_diameter(port: int) -> None:
    from diameter.message import constants
    from diameter.message.commands.me_identity_check import MeIdentityCheckAnswer
    from diameter.node import Node
    from diameter.node.application import Application

    blocked = {f"{100_100_000_000 + n:014d}" for n in range(0, 1_000_000, 2)}

    class Eir(Application):
        """Answers where the request is read, without a thread for each: its quicker way."""

        def receive_request(self, message):
            answer = message.to_answer()
            assert isinstance(answer, MeIdentityCheckAnswer)
            answer.session_id = message.session_id
            answer.origin_host, answer.origin_realm = node.origin_host.encode(), node.realm_name.encode()
            answer.auth_session_state = constants.E_AUTH_SESSION_STATE_NO_STATE_MAINTAINED
            answer.result_code = constants.E_RESULT_CODE_DIAMETER_SUCCESS
            answer.equipment_status = 1 if message.terminal_information.imei[:14] in blocked else 0
            self.send_answer(answer)

    node = Node(HOST, REALM, ip_addresses=["127.0.0.1"], tcp_port=port, vendor_ids=[10415])
    peer = node.add_peer(f"aaa://{OTHER_HOST}", REALM)
    node.add_application(Eir(S13, is_auth_application=True), [peer], [REALM])
    node.start()
    threading.Event().wait()


if __name__ == "__main__":
    {"echo": echo, "python-diameter": python_diameter}[sys.argv[1]](int(sys.argv[2]))
