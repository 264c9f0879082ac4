// SPDX-License-Identifier: Apache-2.0
import type { Append } from '#core/api/append.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { select } from '#core/ports/needs.ts'
import { CLEAR_EVERY_MS } from '#core/server/sequence/marks/clear-marks.ts'
import { SEQUENCER_NEEDS } from '#core/server/sequence/needs.ts'
import { createSequencer } from '#core/server/sequence/sequencer.ts'
import type { Attempts } from '../../attempts.ts'
import { expectedOf, wholeLog } from '../whole-log.ts'

/** Heights of the blocks of a chain that have a mark, each as often as it has one. */
export async function marked({ world }: Attempts, chain: ChainId): Promise<number[]> {
  const rows = await world.platform.table('dirty').range(chain.slice(0, 1))
  const own = rows.filter(({ key }) => key.includes(chain))
  return own
    .map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as { height: number }).height)
    .toSorted((a, b) => a - b)
}

/** Heights that the checked log has. */
export async function logged({ world, record }: Attempts): Promise<readonly number[] | undefined> {
  const platform = world.platform
  return (await wholeLog(platform, await expectedOf(platform, world.registryId, await chainsOf(world))))
    .heights[record]
}

export async function chainsOf({ platform }: Attempts['world']): Promise<string[]> {
  const shards = [...new Set('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')]
  const listed = await Promise.all(shards.map((shard) => platform.table('chains').range(shard)))
  return listed.flat().map(({ key }) => key)
}

export async function sequencerOf({ world }: Attempts, platform = world.platform) {
  return createSequencer(await select(platform, SEQUENCER_NEEDS), world.home)
}

/** The append that was sent last. */
export function newest({ sent }: Attempts): Append {
  const append = sent.at(-1)
  if (!append) throw new Error('nothing was sent')
  return append
}

export async function loseMarks({ world, record }: Attempts): Promise<void> {
  const dirty = world.platform.table('dirty')
  const shard = record.slice(0, 1)
  for (const { key, version } of await dirty.range(shard)) await dirty.swap(shard, key, version, null)
}

/** The first of the moments, from `fromMs` on, at which a process that just started begins its round over old marks. */
export function nextRoundMs(fromMs: number): number {
  return Math.ceil(fromMs / CLEAR_EVERY_MS) * CLEAR_EVERY_MS
}

/** Runs until there is nothing to log and nothing to clear. */
export async function settle(at: Attempts): Promise<void> {
  const sequencer = await sequencerOf(at)
  for (let i = 0; i < 3; i++) await sequencer.run()
}
