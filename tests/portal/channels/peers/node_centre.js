// A message centre of node-smpp, as a process: the same commands and events as smpp34_centre.py.
const smpp = require('smpp');
const lines = require('readline').createInterface({ input: process.stdin });
const tell = (event) => process.stdout.write(JSON.stringify(event) + '\n');
let bound = null;

const server = smpp.createServer((session) => {
  session.on('bind_transceiver', (pdu) => {
    if (pdu.password !== 'secret') {
      session.send(pdu.response({ command_status: smpp.ESME_RBINDFAIL }));
      tell({ refused_bind: pdu.system_id });
      return;
    }
    session.send(pdu.response());
    bound = session;
    tell({ bound: pdu.system_id });
  });
  session.on('submit_sm', (pdu) => {
    session.send(pdu.response({ message_id: 'id' }));
    const message = pdu.short_message.message;
    const octets = Buffer.isBuffer(message) ? message
      : pdu.data_coding === 8 ? Buffer.from(message, 'utf16le').swap16() : Buffer.from(smpp.encodings.ASCII.encode(message));
    tell({
      submitted: octets.toString('hex'), coding: pdu.data_coding, source: pdu.source_addr, destination: pdu.destination_addr,
      service: pdu.service_type, operation: pdu.ussd_service_op === undefined ? '' : Buffer.from([pdu.ussd_service_op]).toString('hex'),
      session: pdu.its_session_info === undefined ? '' : Buffer.from(pdu.its_session_info).toString('hex'),
    });
  });
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('close', () => tell({ unbound: true }));
  session.on('error', () => {});
});
server.listen(Number(process.argv[2]), '127.0.0.1', () => tell({ listening: Number(process.argv[2]) }));

lines.on('line', (line) => {
  const command = JSON.parse(line);
  if (command.deliver) {
    const told = command.deliver;
    const pdu = {
      source_addr: told.source, destination_addr: told.destination, data_coding: told.coding,
      service_type: told.service || '', short_message: Buffer.from(told.hex, 'hex'),
    };
    if ('operation' in told) pdu.ussd_service_op = told.operation;
    if ('session' in told) pdu.its_session_info = Buffer.from(told.session, 'hex');
    bound.deliver_sm(pdu, (answer) => tell(answer.command_status === 0 ? { acknowledged: told.source } : { refused: told.source }));
  } else if (command.drop) {
    bound.destroy();
  }
});
lines.on('close', () => process.exit(0));
