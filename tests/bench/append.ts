// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { listen } from '#functions/host/node.ts'
import { ORIGIN, testDeployment } from '#tests/deployment.ts'

const CHAINS = 64
const EACH = 16
const content = utf8('x'.repeat(1500))

/** How many durable blocks per second does a home take over HTTP on loopback from 64 clients? */
export async function benchAppend(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-bench-'))
  const recorded = new Map<ChainId, { body: Uint8Array<ArrayBuffer>; type: string }[]>()
  // The clients' work is done beforehand against a home in memory, then replayed against the durable one.
  const world = await testDeployment(['hospital-a'])
  const log: { body: Uint8Array<ArrayBuffer>; type: string; chain: number }[] = []
  let current = 0
  const recording = world.connect('hospital-a', {
    fetch: async (request) => {
      if (request.method === 'POST') {
        log.push({
          body: new Uint8Array(await request.clone().arrayBuffer()),
          type: request.headers.get('content-type') ?? '',
          chain: current,
        })
      }
      return world.fetch(request)
    },
  })
  const preparing = performance.now()
  for (current = 0; current < CHAINS; current++) {
    const { record } = await createRecord(
      recording,
      { deployment: asDeploymentId('home-1'), origin: ORIGIN },
      ['general'],
    )
    recorded.set(record, [])
    for (let i = 0; i < EACH; i++)
      await recording.append(record, [{ header: utf8('{}'), content, compartment: 'general' }])
  }
  const clientRate = Math.round((CHAINS * EACH) / ((performance.now() - preparing) / 1000))
  const genesis = (
    await (await world.home.registry.refresh(), world.platform.table('registry').range('blocks'))
  )[0]
  const platform = openLocal({ folder, passphrase: 'bench', now: () => world.clock.now })
  await platform.table('registry').insert('blocks', genesis?.key ?? '', genesis?.value ?? new Uint8Array(0))
  const { createVerifiers } = await import('#core/crypto/signature.ts')
  const { createRegistrySource } = await import('#core/server/store/registry.ts')
  const { homeApp } = await import('#functions/all.ts')
  const { silentLog } = await import('#functions/host/telemetry.ts')
  const verifiers = createVerifiers()
  const home = {
    ...world.home,
    verifiers,
    registry: createRegistrySource(platform.table('registry'), world.registryId, verifiers),
  }
  const app = await homeApp(platform, home, {
    now: () => world.clock.now,
    random: world.random,
    log: silentLog,
  })
  const server = await listen((request) => app.fetch(request), 18_310, true)
  const url = `http://127.0.0.1:${server.port}/v1/blocks`
  const started = performance.now()
  await Promise.all(
    Array.from({ length: CHAINS }, async (_, chain) => {
      for (const { body, type } of log.filter((one) => one.chain === chain)) {
        const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body })
        if (answer.status !== 201) throw new Error(`the home answered ${await answer.text()}`)
        await answer.arrayBuffer()
      }
    }),
  )
  const rate = Math.round(log.length / ((performance.now() - started) / 1000))
  const table = platform.table('jobs')
  const value = new Uint8Array(2000)
  const inserting = performance.now()
  for (let round = 0; round < 40; round++) {
    await Promise.all(Array.from({ length: 64 }, (_, i) => table.insert('p', `${round}/${i}`, value)))
  }
  const floor = Math.round(2560 / ((performance.now() - inserting) / 1000))
  await server.close()
  await platform.close()
  rmSync(folder, { recursive: true })
  return [
    `append over HTTP, ${CHAINS} clients, 1.5 KB, durable: ${rate} blocks/s (goal 1000); raw durable inserts ${floor}/s`,
    `a client alone, sealing, signing and submitting one by one: ${clientRate} blocks/s`,
  ]
}
