// SPDX-License-Identifier: Apache-2.0
// Run by log/waiting.ts: serves a home whose log is tended at an interval and cosigned by two witnesses in this process.
import { join } from 'node:path'
import { openLocal } from '#adapters/local/open.ts'
import { logOriginOf, witnessNameOf, WITNESS_PREFIX } from '#core/api/log.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { select } from '#core/ports/needs.ts'
import { witnessKeys } from '#core/server/witness/cosign.ts'
import { addLog } from '#core/server/witness/logs.ts'
import { WITNESS_NEEDS } from '#core/server/witness/needs.ts'
import { listen } from '#functions/host/node.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { witnessApp } from '#functions/witness/app.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN, START_MS, testDeployment } from '#tests/deployment.ts'
import { INSTITUTION } from '../worlds/durable.ts'

const [folder = '', interval = ''] = process.argv.slice(2)
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))
const witnesses = new Map<string, Fetch>()
const fetch: Fetch = async (request) =>
  (await witnesses.get(new URL(request.url).origin)?.(request)) ?? new Response(null, { status: 404 })
// Runs on from when the blocks were made, so that marks grow old as they do.
const startedMs = performance.now()
const now = () => START_MS + Math.floor(performance.now() - startedMs)
const base = openLocal({ folder, passphrase: 'bench', now, fetch })
const log = (await logKeysOf(base)).map(formatVerifierKey)
const lines = log.map((key) => `log ${key}`)
for (const name of ['w1', 'w2']) {
  const origin = `http://${name}.test`
  const platform = openLocal({ folder: join(folder, name), passphrase: 'bench', now })
  const ports = await select(platform, WITNESS_NEEDS)
  await addLog(ports, logOriginOf(ORIGIN), log)
  const witness = { name: witnessNameOf(origin), verifiers: createVerifiers() }
  const app = witnessApp(ports, witness, { now, random, log: silentLog })
  witnesses.set(origin, async (request) => app.fetch(request))
  for (const [i, key] of witnessKeys(ports, witness.name).entries())
    lines.push(`witness ${name}-${i} ${formatVerifierKey(key)} ${origin}${WITNESS_PREFIX}`)
  lines.push(`group ${name} all ${name}-0 ${name}-1`)
}
lines.push('group both all w1 w2', 'quorum both')
const policy = parsePolicy(`${lines.join('\n')}\n`)
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const world = await testDeployment([INSTITUTION], { base, policy, pause })
const server = await listen(world.fetch, 18_311, true)
const timer = setInterval(() => void world.tendLog().catch(() => {}), Number(interval))
process.on('message', () => {
  clearInterval(timer)
  void server
    .close()
    .then(() => base.close())
    .then(() => process.disconnect())
})
// A parent that failed must not leave it behind.
process.on('disconnect', () => process.exit())
process.send?.({ port: server.port })
