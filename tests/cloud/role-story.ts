// SPDX-License-Identifier: Apache-2.0
import { asDeploymentId, asInstitutionId } from '#core/bytes/ids.ts'
import { logOriginOf } from '#core/api/log.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { readReceipts } from '#core/client/receipt/read-receipts.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { CloudConfig } from '#functions/host/cloud/config.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { ORIGIN, START_MS, testDeployment } from '#tests/deployment.ts'
import { entry, HOME } from '#tests/fault/each-call.ts'
import { configOf, openApart } from '#tests/functions/host/apart.ts'

/** How a role's platform is opened; the first one makes the keys. */
export interface Opening<Call> {
  readonly makesKeys: boolean
  readonly now: () => number
  readonly observe: (call: Call) => void
}

/**
 * A record from its first block to its erasure, in a home whose roles run apart, each on a platform of its own in one cloud.
 * @param recorded takes what each role asked of the provider
 */
export async function playRoles<Call>(
  open: (options: Opening<Call>) => Platform,
  recorded: Map<string, Call[]>,
): Promise<void> {
  const clock = { now: START_MS }
  const now = () => clock.now
  const base = open({ makesKeys: true, now, observe: () => {} })
  const world = await testDeployment(['hospital-a'], { clock, base })
  const of = (role: string): Platform => {
    const calls = recorded.get(role) ?? []
    recorded.set(role, calls)
    return open({ makesKeys: false, now, observe: (call) => void calls.push(call) })
  }
  const hosting = { now, random: world.random, log: silentLog }
  const apart = await openApart(of, await mirroring(await configOf(base, world.home)), hosting)
  const client = () => world.connect('hospital-a', { fetch: apart.fetch })
  await apart.sequence()
  const { record } = await createRecord(client(), HOME, ['general'])
  await client().append(record, [entry('one')])
  await apart.sequence()
  const reader = client()
  const before = await reader.read(record)
  await readReceipts(reader, await reader.replica(record))
  const { instance, second } = world.institution('hospital-a')
  const what = { scope: 'entries' as const, entries: before.opened, ground: 'misfiled' as const }
  const request = await requestErasure(client(), record, what, { instances: [instance, second] })
  clock.now += 73 * 3_600_000
  await apart.sequence()
  await settleErasure(client(), record, request.block.height, 'complete')
  await apart.erase('schedule')
  await apart.sequence()
  for (const path of ['/health/ready', '/.well-known/jwks.json', '/log/checkpoint', '/v1/registry/blocks'])
    await apart.fetch(new Request(new URL(path, ORIGIN)))
  for (const act of [apart.sweep, apart.audit, apart.monitor, apart.mirror, apart.work]) await act()
}

/** With another home that is to be mirrored, and that nobody reaches: it is asked with the key of the institution all the same. */
async function mirroring(config: CloudConfig): Promise<CloudConfig> {
  const other = {
    deployment: asDeploymentId('home-2'),
    origin: 'http://127.0.0.1:1',
    registry: config.registry,
  }
  const signer = await signerOf(logOriginOf(other.origin), 'Ed25519', 1)
  const policy = parsePolicy(`log ${formatVerifierKey(signer.key)}\nquorum none\n`)
  return { ...config, mirrored: [{ ...other, institution: asInstitutionId('hospital-a'), policy }] }
}
