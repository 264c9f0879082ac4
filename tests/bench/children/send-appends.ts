// SPDX-License-Identifier: Apache-2.0
// Run by append.ts and log/waiting.ts: sends sealed appends, one client per chain, each over its own connection that stays open.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'

const [file = '', port = ''] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true })
/** By chain, in order. */
const chains = readBodies(readFileSync(file))
const sent = chains.map(() => 0)

process.on('message', (message: { each: number; wait?: string } | 'end') => {
  if (message !== 'end') return void round(message.each, message.wait)
  agent.destroy()
  process.disconnect()
})
process.send?.({ ready: true })

/** Every client sends its next `each` blocks, one after the other; all clients at once. `wait` is how far it waits for the log. */
async function round(each: number, wait?: string): Promise<void> {
  const cpu = process.cpuUsage()
  const latencies: number[] = []
  const started = performance.now()
  await Promise.all(
    chains.map(async (bodies, chain) => {
      for (let i = 0; i < each; i++) {
        const body = bodies[(sent[chain] ?? 0) + i]
        if (!body) throw new Error('there are no more blocks to send')
        const from = performance.now()
        await post(body, wait === undefined ? '' : `?wait=${wait}`)
        latencies.push(performance.now() - from)
      }
      sent[chain] = (sent[chain] ?? 0) + each
    }),
  )
  const wallMs = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  process.send?.({ wallMs, cpuMs: (user + system) / 1000, latencies })
}

function post(body: Uint8Array, query: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/vnd.ampere.append', 'content-length': body.length }
    const path = `/v1/blocks${query}`
    const sending = request({ agent, port, host: '127.0.0.1', method: 'POST', path, headers })
    sending.on('error', reject)
    sending.on('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.on('end', () => {
        if (answer.statusCode === 201) resolve()
        else reject(new Error(`the home answered ${text}`))
      })
    })
    sending.end(body)
  })
}

/** The number of chains, then per chain its number of bodies and each body with its length; all uint32. */
function readBodies(bytes: Buffer): readonly (readonly Uint8Array[])[] {
  let at = 0
  const count = () => bytes.readUInt32BE((at += 4) - 4)
  return Array.from({ length: count() }, () =>
    Array.from({ length: count() }, () => {
      const length = count()
      at += length
      return bytes.subarray(at - length, at)
    }),
  )
}
