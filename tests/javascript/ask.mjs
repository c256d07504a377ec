// Asks an endpoint by sparql-http-client in each way that it knows, and prints what it got as JSON.
import ParsingClient from 'sparql-http-client/ParsingClient.js'
import StreamClient from 'sparql-http-client/StreamClient.js'

const [endpointUrl, select, construct, faulty] = process.argv.slice(2)
const parsing = new ParsingClient({ endpointUrl })
const found = {}

for (const operation of ['get', 'postUrlencoded', 'postDirect']) {
  const rows = await parsing.query.select(select, { operation })
  found[operation] = rows.map(row => row.label.value).sort()
}
found.language = (await parsing.query.select(select))[0].label.language
found.triples = (await parsing.query.construct(construct)).size
found.ask = await parsing.query.ask('ASK { ?s ?p ?o }')

found.streamed = 0
for await (const row of new StreamClient({ endpointUrl }).query.select(select)) {
  found.streamed += row.label ? 1 : 0
}
try {
  await parsing.query.select(faulty)
} catch (error) {
  found.refused = error.message
}
console.log(JSON.stringify(found))
