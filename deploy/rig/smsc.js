// SMSC for tests, npm smpp: what one account submits another one receives,
// decoded and encoded again by npm smpp. Accounts are foo (password bar) and kannel (bar).
// usage: node smsc.js MODULES PORT, where MODULES is a directory with node_modules/smpp
const smpp = require(require.resolve('smpp', { paths: [process.argv[2]] }))
// again is a decoded message as it is given to be encoded: with its user data header in one piece.
const again = m => {
  if (!Array.isArray(m.udh)) return m
  const udh = Buffer.concat(m.udh)
  return { udh: Buffer.concat([Buffer.from([udh.length]), udh]), message: m.message }
}
let n = 0
const bound = {}
smpp.createServer({}, session => {
  const answer = pdu => {
    if (!['foo', 'kannel'].includes(pdu.system_id) || pdu.password !== 'bar') {
      session.send(pdu.response({ command_status: smpp.ESME_RINVPASWD }))
      return
    }
    session.account = pdu.system_id
    session.send(pdu.response({ system_id: 'rig' }))
    if (pdu.command !== 'bind_transmitter') bound[session.account] = session
    console.log('bound', session.account)
  }
  session.on('bind_transceiver', answer)
  session.on('bind_transmitter', answer)
  session.on('bind_receiver', answer)
  session.on('error', e => console.log('error', e.message))
  session.on('close', () => { if (bound[session.account] === session) delete bound[session.account] })
  session.on('enquire_link', pdu => session.send(pdu.response()))
  session.on('unbind', pdu => { session.send(pdu.response()); session.close() })
  session.on('submit_sm', pdu => {
    const id = 'rig' + (++n)
    console.log('submit', session.account, JSON.stringify({ id, dc: pdu.data_coding, esm: pdu.esm_class, message: pdu.short_message.message }))
    session.send(pdu.response({ message_id: id }))
    const other = bound[session.account === 'foo' ? 'kannel' : 'foo']
    if (!other) return
    other.deliver_sm({
      source_addr_ton: pdu.source_addr_ton, source_addr_npi: pdu.source_addr_npi, source_addr: pdu.source_addr,
      dest_addr_ton: pdu.dest_addr_ton, dest_addr_npi: pdu.dest_addr_npi, destination_addr: pdu.destination_addr,
      esm_class: pdu.esm_class & 0x40, data_coding: pdu.data_coding, short_message: again(pdu.short_message)
    }, resp => {
      if (!pdu.registered_delivery || !bound[session.account]) return
      const ok = resp.command_status === 0
      bound[session.account].deliver_sm({
        source_addr_ton: 1, source_addr_npi: 1, source_addr: pdu.destination_addr,
        dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: pdu.source_addr, esm_class: 4,
        short_message: `id:${id} sub:001 dlvrd:00${ok ? 1 : 0} submit date:2601010000 done date:2601010001 stat:${ok ? 'DELIVRD' : 'UNDELIV'} err:000 text:x`,
        receipted_message_id: id, message_state: ok ? 2 : 5
      })
    })
  })
}).listen(Number(process.argv[3]), '127.0.0.1', () => console.log('listening'))
