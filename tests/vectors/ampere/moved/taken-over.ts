// SPDX-License-Identifier: Apache-2.0
import { signErased } from '#core/api/erased.ts'
import { parseBlock } from '#core/block/open-block.ts'
import { asChainId, asDeploymentId, type Digest } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { fromUtf8 } from '#core/bytes/encoding.ts'
import { exportRecord } from '#core/client/export/write-export.ts'
import { HOME } from '#tests/core/server/attempts.ts'
import { NEW_HOME, OLD_ORIGIN } from '#tests/core/server/move/moved-world.ts'
import { fileOf, linesOf } from '#tests/core/client/receipt/export-mutations.ts'
import { deployed, makeSigner, seededRandom } from '#tests/deployment.ts'
import { movedRecord } from './moved-record.ts'

/** Exports whose erasure of an entry from before the move is not over, whatever they say. */
export interface Taken {
  readonly registry: Digest
  /** Another institution has the origin of the home that was left, and states the erasure in its name. */
  readonly stated: Uint8Array
  /** The same, and a newer key of the home where the chain is was retired. */
  readonly retired: Uint8Array
}

/** The origin of the home that was left goes to another institution, and the new home gets a key that is retired. */
export async function takenOver(): Promise<Taken> {
  const { bytes, registry, world: moved } = await movedRecord()
  const { world, clock } = moved
  const [a, b] = ['hospital-a', 'hospital-b'].map((id) => world.institution(id).id)
  if (!a || !b) throw new Error('two institutions are expected')
  const random = seededRandom(31)
  const [key, taker] = [await makeSigner(random), await makeSigner(random)]
  const elsewhere = { deployment: HOME.deployment, origin: 'http://elsewhere.test' }
  await world.change('hospital-a', [deployed(a, elsewhere, key)])
  const place = { deployment: asDeploymentId('home-b'), origin: OLD_ORIGIN }
  await world.change('hospital-b', [deployed(b, place, taker)])
  const lines = linesOf(fromUtf8(bytes))
  const chain = asChainId(String(lines[0]?.['chain']))
  const blocks = lines.flatMap((line) => ('block' in line ? [parseBlock(String(line['block']))] : []))
  const erasure = blocks.findLast(({ block }) => block.type === 'erase' && block.body.act === 'complete')
  if (!erasure) throw new Error('an erasure is expected')
  const now = toTimestamp(clock.now)
  const said = { v: 1 as const, chain, block: erasure.id, store: OLD_ORIGIN, at: now, backupsExpire: now }
  const erased = await signErased(said, taker)
  const exported = async () => {
    await moved.receive()
    const all = linesOf(fromUtf8(await exportRecord(await moved.at('hospital-a'), chain)))
    const at = all.findIndex((line) => 'erased' in line)
    return fileOf([...all.slice(0, at), { erased }, ...all.slice(at)])
  }
  const stated = await exported()
  const newer = await makeSigner(random)
  await world.change('hospital-a', [deployed(a, NEW_HOME, newer)])
  await world.change('hospital-a', [{ act: 'revoke', kid: newer.kid, reason: 'retired', suspectFrom: null }])
  return { registry, stated, retired: await exported() }
}
