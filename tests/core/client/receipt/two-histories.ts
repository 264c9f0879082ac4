// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { utf8 } from '#core/bytes/encoding.ts'
import { asDeploymentId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import type { Fetch } from '#core/ports/keys.ts'
import type { Platform } from '#core/ports/needs.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { logKeysOf } from '#tests/core/server/cosign/witnessed-world.ts'
import { ORIGIN, seededRandom, START_MS, testDeployment } from '#tests/deployment.ts'
import { withKeptKeys } from '#tests/kept-keys.ts'

const SEED = 7
const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/** One of two homes that began as one: the same keys, and all that was stored up to then. */
export interface Branch {
  readonly append: (text: string) => Promise<unknown>
  readonly tendLog: () => Promise<void>
  readonly exported: () => Promise<Uint8Array>
}

/** A home whose whole store was copied when a record had three blocks in the log, and both of which go on. */
export async function twoHistories() {
  const clock = { now: START_MS }
  const memory = () => withKeptKeys(openMemory({ now: () => clock.now, random: seededRandom(SEED) }), SEED)
  const copying = { isOn: true }
  const copy = memory()
  const world = await testDeployment(['hospital-a'], {
    clock,
    seed: SEED,
    base: memory(),
    platform: (base) => mirrored(base, copy, copying),
  })
  const keys = (await logKeysOf(world.platform)).map(formatVerifierKey)
  const policy = parsePolicy([...keys.map((key) => `log ${key}\n`), 'quorum none\n'].join(''))
  const home = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
  const { record } = await createRecord(world.connect('hospital-a'), home, ['general'])
  await world.connect('hospital-a').append(record, [entry('one')])
  await world.tendLog()
  copying.isOn = false
  const registry = createRegistrySource(copy.table('registry'), world.registryId, createVerifiers())
  const ports = { now: () => clock.now, random: seededRandom(SEED + 1), log: silentLog }
  const other = await homeApp(copy, { ...world.home, registry }, ports, { pause: async () => undefined })
  const branch = (fetch: Fetch, tendLog: () => Promise<void>): Branch => {
    const connection = () => world.connect('hospital-a', { fetch })
    return {
      append: (text) => connection().append(record, [entry(text)]),
      tendLog,
      exported: () => exportRecord(connection(), record),
    }
  }
  return {
    clock,
    record,
    policy,
    pins: { registry: world.registryId, logs: keys },
    one: branch(world.fetch, world.tendLog),
    two: branch(async (request) => other.app.fetch(request), other.tendLog),
  }
}

/** Does what changes a store in a second one too, in the same order. */
function mirrored(base: Platform, copy: Platform, copying: { readonly isOn: boolean }): Platform {
  return {
    ...base,
    table: (name) => {
      const [own, second] = [base.table(name), copy.table(name)]
      return {
        ...own,
        insert: async (...row) => {
          if (copying.isOn) await second.insert(...row)
          return own.insert(...row)
        },
        swap: async (...row) => {
          if (copying.isOn) await second.swap(...row)
          return own.swap(...row)
        },
      }
    },
    objects: (name) => {
      const [own, second] = [base.objects(name), copy.objects(name)]
      return {
        ...own,
        store: async (...object) => {
          if (copying.isOn) await second.store(...object)
          return own.store(...object)
        },
      }
    },
  }
}
