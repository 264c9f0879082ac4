// SPDX-License-Identifier: Apache-2.0
import type { Block } from '#core/block/block.ts'
import type { Link } from '#core/chain/state.ts'
import { control, erase, later, rehome } from '../small-chain.ts'
import type { Attempt, Kit } from './kit.ts'
import { on, type Case } from './place-cases.ts'
import { requested } from './recover-cases.ts'

const HOUR = 3_600_000

const changing = (parent: Link, kit: Kit) => control(kit, parent, [kit.device], { hold: true })
const erasing = (parent: Link, kit: Kit) => erase(kit, parent, [kit.device])
const moving = (parent: Link, kit: Kit) => rehome(kit, parent, [kit.device])

/** What somebody signs while a recovery waits that was vouched for. */
async function whileWaiting(
  kit: Kit,
  act: (parent: Link, kit: Kit) => Promise<Block>,
  { author = kit.device, waitMs = HOUR } = {},
): Promise<Attempt> {
  const { parent } = await requested(kit)
  const draft = await act(parent, kit)
  return on(kit, { ...draft, time: later(parent.opened.block.time, waitMs) }, author, parent)
}

/** What those whom a recovery removes do not do while it waits. */
export const FROZEN_CASES: readonly Case[] = [
  ['recover-frozen', 'a change by the stolen device', (kit) => whileWaiting(kit, changing)],
  ['recover-frozen', 'an erasure that the stolen device asks for', (kit) => whileWaiting(kit, erasing)],
  ['recover-frozen', 'a chain that the stolen device moves', (kit) => whileWaiting(kit, moving)],
  [
    'recover-frozen',
    'a change that the stolen device only approves, at the last moment',
    (kit) =>
      whileWaiting(kit, (parent) => control(kit, parent, [kit.a, kit.device], { hold: true }), {
        author: kit.a,
        waitMs: (73 + 7 * 24) * HOUR - 1,
      }),
  ],
]
