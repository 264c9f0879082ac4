// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { BlockId } from '#core/bytes/ids.ts'
import { toTimestamp } from '#core/bytes/timestamp.ts'
import { signBlock } from '#core/block/open-block.ts'
import { makeSigner } from '#tests/deployment.ts'
import { signErased } from '#core/api/erased.ts'
import { erasureJob, JOBS_ERASE } from '#core/server/store/jobs.ts'
import { erasedRow, heightKey } from '#core/server/store/rows.ts'
import { blockAt, forge, put } from './audited.ts'

import { nothing, type Damage } from './damage-to-keys.ts'

/** Damage to jobs and statements of erasures. */
export const TO_ERASURES: readonly Damage[] = [
  {
    what: 'a lost erasure job',
    make: (of) => put(of.world, 'jobs', JOBS_ERASE, erasureJob(of.record, of.heights.erased), nothing),
    height: (of) => of.heights.erased,
    status: 'missing',
    rule: 'erase-job',
  },
  {
    what: 'a lost job of a whole record',
    make: (of) => put(of.world, 'jobs', JOBS_ERASE, erasureJob(of.ended, of.endedAt), nothing),
    height: (of) => of.endedAt,
    status: 'missing',
    rule: 'erase-job',
    chain: 'ended',
  },
  {
    what: "a changed statement of the home's",
    make: (of) => put(of.world, 'receipts', of.record, erasedRow(of.heights.erased, null), forge),
    height: (of) => of.heights.erased,
    status: 'tampered',
    rule: 'erased-statement',
  },
  {
    what: "a changed statement of another holder's",
    make: (of) =>
      put(of.world, 'receipts', of.record, erasedRow(of.heights.erased, 'bridge:hospital-b'), forge),
    height: (of) => of.heights.erased,
    status: 'tampered',
    rule: 'erased-statement',
  },
  {
    what: "a holder's statement in another's place",
    make: async (of) => {
      const receipts = of.world.platform.table('receipts')
      const row = await receipts.get(of.record, erasedRow(of.heights.erased, 'bridge:hospital-b'))
      await receipts.insert(
        of.record,
        erasedRow(of.heights.erased, 'bridge:hospital-a'),
        row?.value ?? utf8(''),
      )
    },
    height: (of) => of.heights.erased,
    status: 'tampered',
    rule: 'erased-statement',
  },
  {
    what: 'a statement about a block that is not here',
    make: async (of) => {
      const time = toTimestamp(of.world.clock.now)
      const block = toBase64url(new Uint8Array(32)) as BlockId
      const said = {
        v: 1 as const,
        chain: of.record,
        block,
        store: of.world.home.origin,
        at: time,
        backupsExpire: time,
      }
      const statement = await signErased(said, await of.world.platform.signer('head'))
      await of.world.platform.table('receipts').insert(of.record, erasedRow(90, null), utf8(statement))
    },
    height: () => 90,
    status: 'missing',
    rule: 'erased-block',
  },
]

/** Damage to the blocks themselves. */
export const TO_BLOCKS: readonly Damage[] = [
  {
    what: 'a block with another signature',
    make: (of) => put(of.world, 'blocks', of.record, heightKey(3), forge),
    height: () => 3,
    status: 'tampered',
    rule: 'signature',
  },
  {
    what: 'a block that is no text',
    make: (of) => put(of.world, 'blocks', of.record, heightKey(3), () => new Uint8Array([0xff])),
    height: () => 3,
    status: 'tampered',
    rule: 'malformed',
  },
  {
    what: 'a block by a key that nobody knows',
    make: async (of) => {
      const block = await blockAt(of, of.record, 3)
      const { compact } = await signBlock(block, await makeSigner(of.world.random))
      await put(of.world, 'blocks', of.record, heightKey(3), () => compact)
    },
    height: () => 3,
    status: 'tampered',
    rule: 'signature',
  },
  {
    what: "a block in another's place",
    make: async (of) => {
      const row = await of.world.platform.table('blocks').get(of.record, heightKey(4))
      await put(of.world, 'blocks', of.record, heightKey(3), () => row?.value ?? '')
    },
    height: () => 3,
    status: 'tampered',
    rule: 'height',
  },
  {
    what: 'a lost block',
    make: (of) => put(of.world, 'blocks', of.record, heightKey(3), nothing),
    height: () => 3,
    status: 'missing',
    rule: 'height',
  },
]
