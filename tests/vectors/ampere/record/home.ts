// SPDX-License-Identifier: Apache-2.0
import { openMemory } from '#adapters/memory/open.ts'
import { timestampMs } from '#core/bytes/timestamp.ts'
import { asDeploymentId, asInstitutionId, type ChainId } from '#core/bytes/ids.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import { createVerifiers } from '#core/crypto/signature.ts'
import type { Platform } from '#core/ports/needs.ts'
import type { Home } from '#core/server/home.ts'
import { addRegistryBlock } from '#core/server/registrar.ts'
import { createRegistrySource } from '#core/server/store/registry.ts'
import { homeApp } from '#functions/all.ts'
import { silentLog } from '#functions/host/telemetry.ts'
import { memorySeen, ORIGIN, START_MS } from '#tests/deployment.ts'
import { bytesFor, type Cast } from './cast.ts'
import type { Story } from './story.ts'

/** A real home that took in the story, each block at the time that it states, and a reader of it. */
export async function homeWith(cast: Cast, story: Story): Promise<{ reader: Connection; chain: ChainId }> {
  const clock = { now: START_MS }
  const now = () => clock.now
  const random = bytesFor('home')
  const base = openMemory({ now, random })
  const platform: Platform = {
    ...base,
    signer: async (name) => (name === 'head' ? cast.signers['home-1'] : base.signer(name)),
  }
  const verifiers = createVerifiers()
  const { pinned } = cast.history
  const home: Home = {
    deployment: asDeploymentId('home-1'),
    origin: ORIGIN,
    durability: 'local',
    backupDays: 0,
    registry: createRegistrySource(platform.table('registry'), pinned, verifiers),
    verifiers,
  }
  const registrar = { tables: { registry: platform.table('registry') }, objects: {}, keys: {}, now, random, fetch }
  for (const block of cast.registryBlocks) await addRegistryBlock(registrar, home, block)
  const { app } = await homeApp(platform, home, { now, random, log: silentLog })
  const reader = connect({
    fetch: async (request) => app.fetch(request),
    now,
    random,
    identity: {
      reader: 'hospital-a',
      institution: asInstitutionId('hospital-a'),
      signer: cast.signers['hospital-a-1'],
      sealingSeed: async () => cast.sealing['hospital-a'],
    },
    pins: { registry: pinned, origin: ORIGIN, policy: null, monitors: null },
    seen: memorySeen(),
  })
  for (const append of story.appends) {
    clock.now = timestampMs(parseBlock(append.block).block.time)
    await reader.api.append(append)
  }
  const [first] = story.links
  if (!first) throw new Error('the story is empty')
  return { reader, chain: first.opened.chain }
}
