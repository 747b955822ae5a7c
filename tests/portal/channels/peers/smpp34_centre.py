"""A message centre of smpp34, as a process: commands as JSON lines on stdin, what happens as JSON lines on stdout.

{"deliver": {"source", "destination", "hex", "coding", "operation"?, "session"?, "service"?}}, {"drop": true}; ends with stdin.
"""

import asyncio
import json
import sys
from typing import Any

import smpp34


def tell(**event: Any) -> None:
    print(json.dumps(event), flush=True)


async def deliver(esme: smpp34.Esme, told: dict[str, Any]) -> None:
    tlvs = []
    if "operation" in told:
        tlvs.append(smpp34.Tlv(0x0501, bytes([told["operation"]])))
    if "session" in told:
        tlvs.append(smpp34.Tlv(0x1383, bytes.fromhex(told["session"])))
    try:
        await esme.deliver_sm(
            told["destination"], bytes.fromhex(told["hex"]), source_addr=told["source"], data_coding=told["coding"],
            service_type=told.get("service", ""), tlvs=tlvs,
        )  # fmt: skip
        tell(acknowledged=told["source"])
    except smpp34.SmppError as error:
        tell(refused=told["source"], error=type(error).__name__)


async def main(port: int) -> None:
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    tell(listening=port)
    esmes: list[smpp34.Esme] = []
    running: set[asyncio.Task[Any]] = set()

    async def events() -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                esmes.append(event)
                tell(bound=event.system_id)
            elif isinstance(event, smpp34.SubmitSmEvent):
                tlvs = {tlv.tag: tlv.value for tlv in event.tlvs}
                tell(
                    submitted=bytes(event.short_message).hex(), coding=event.data_coding, source=event.source_addr,
                    destination=event.destination_addr, service=event.service_type,
                    operation=tlvs.get(0x0501, b"").hex(), session=tlvs.get(0x1383, b"").hex(),
                )  # fmt: skip
                event.accept("id")
            elif isinstance(event, smpp34.Unbound):
                tell(unbound=True)
            else:
                return

    watching = asyncio.create_task(events())
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command = json.loads(line)
        if "deliver" in command:
            task = asyncio.create_task(deliver(esmes[-1], command["deliver"]))
            running.add(task)
            task.add_done_callback(running.discard)
        elif "drop" in command:
            await esmes[-1].unbind()
    watching.cancel()
    await server.stop()


asyncio.run(main(int(sys.argv[1])))
