// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { asDeploymentId, type ChainId } from '#core/bytes/ids.ts'
import { fromUtf8, utf8 } from '#core/bytes/encoding.ts'
import { logOriginOf } from '#core/api/log.ts'
import { CLOCK_TOLERANCE_MS } from '#core/api/limits.ts'
import { stateBytes } from '#core/chain/state.ts'
import { connect } from '#core/client/connect.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import { evidenceOfOrder, evidenceOfPromise } from '#core/evidence/build.ts'
import { BROKEN_AFTER_MS } from '#core/evidence/promise.ts'
import { verifyEvidence } from '#core/evidence/verify.ts'
import { EMPTY_FRONTIER, extendFrontier } from '#core/log/frontier.ts'
import { leafHash } from '#core/log/merkle.ts'
import { checkpointIn } from '#core/log/note/checkpoint.ts'
import { formatVerifierKey, logKeyOfJwk } from '#core/log/note/key.ts'
import { decodeBundle } from '#core/log/tile/bundle.ts'
import { bundlePath } from '#core/log/tile/path.ts'
import type { Platform } from '#core/ports/needs.ts'
import { logReceiptFinder } from '#core/server/read/receipt.ts'
import { memorySeen, ORIGIN, testDeployment } from '#tests/deployment.ts'

const HOME = { deployment: asDeploymentId('home-1'), origin: ORIGIN }
const LOG = logOriginOf(ORIGIN)
const ENTRY = { header: utf8('{}'), content: utf8('text'), compartment: 'general' }

/** A whole home that on demand takes blocks in without a mark for its sequencer. */
async function world() {
  const hiding = { isOn: false }
  const deployment = await testDeployment(['hospital-a'], {
    platform: (base): Platform => ({
      ...base,
      table: (name) => {
        const table = base.table(name)
        if (name !== 'dirty') return table
        return {
          ...table,
          get: (partition, key) => table.get(partition, key),
          range: (partition, range) => table.range(partition, range),
          insert: async (...row) => (hiding.isOn ? 'inserted' : table.insert(...row)),
          swap: async (...row) => (hiding.isOn ? 'hidden' : table.swap(...row)),
        }
      },
    }),
  })
  const { platform, clock, tendLog, registryId } = deployment
  const connection = deployment.connect('hospital-a')
  const keys = [
    logKeyOfJwk(LOG, 'Ed25519', (await platform.signer('log')).publicKey),
    logKeyOfJwk(LOG, 'cosignature-ML-DSA-44', (await platform.signer('log-quantum')).publicKey),
  ].map(formatVerifierKey)
  const registry = { id: registryId, blocks: (await connection.api.registryBlocks(0)).items }
  const logged = {
    tables: {
      checkpoints: platform.table('checkpoints'),
      leaves: platform.table('leaves'),
    },
    objects: { log: platform.objects('log') },
  }
  const { record } = await createRecord(connection, HOME, ['general'])
  const note = async () =>
    fromUtf8((await platform.table('checkpoints').get('log', 'published'))?.value ?? new Uint8Array(0))
  return {
    hiding,
    clock,
    tendLog,
    connection,
    record,
    note,
    of: { origin: ORIGIN, registry, log: keys },
    pins: { registry: registryId, logs: keys },
    blockAt: async (chain: ChainId, height: number) =>
      (await connection.api.blocks(chain, height)).items[0] ?? '',
    receipt: async (height: number) => (await logReceiptFinder(logged, null)(record, height))?.proof ?? '',
    /** Promise evidence of the newest block, by all that the log published. */
    promise: async (
      head: string,
      parent: { block: string; state: string },
      block: string,
      labelKeyHash: string,
      since: string | null = null,
    ) => {
      const to = await note()
      const { size } = checkpointIn(to)
      const bundle = await platform.objects('log').fetch(bundlePath({ index: 0, width: size }))
      const labelKey = await platform.table('labels').get(record, labelKeyHash)
      if (!bundle || !labelKey) throw new Error('the log or a label key is missing')
      const all = decodeBundle(bundle, size)
      const before = since === null ? [] : all.slice(0, checkpointIn(since).size)
      const { hashes } = extendFrontier(EMPTY_FRONTIER, before.map(leafHash))
      const from = since === null ? null : { note: since, frontier: hashes }
      const entries = all.slice(before.length)
      const broken = { head, block, parent, labelKey: labelKey.value, from, to, entries }
      return evidenceOfPromise({ origin: ORIGIN, registry, log: keys }, broken)
    },
  }
}

describe('evidence made of what a whole home serves', () => {
  it.each([
    [true, /^the home at .* has no entry for it: a promise that was not kept$/],
    [false, /^rule conflict: the log has an entry for that height of the chain$/],
  ])('shows whether a promise was kept (hidden from the sequencer: %s)', async (isHidden, says) => {
    const { hiding, clock, tendLog, connection, record, blockAt, promise, pins } = await world()
    await tendLog()
    const { link } = await connection.replica(record)
    hiding.isOn = isHidden
    await connection.append(record, [ENTRY])
    hiding.isOn = false
    const { head } = await connection.api.head(record)
    clock.now += BROKEN_AFTER_MS + 1000
    await createRecord(connection, HOME, ['general'])
    await tendLog()
    const parent = { block: link.opened.compact, state: fromUtf8(stateBytes(link.state)) }
    const block = await blockAt(record, link.opened.block.height + 1)
    const bytes = await promise(head, parent, block, link.state.labelKeyHash)
    const said = await verifyEvidence(bytes, pins).then(
      ({ proves }) => proves,
      (error: unknown) => (error as Error).message,
    )
    expect(said).toMatch(says)
  })

  it('convicts no home for a block that its writer dated as far ahead as is admitted', async () => {
    const { clock, tendLog, connection, record, blockAt, note, promise, pins } = await world()
    await tendLog()
    const { link } = await connection.replica(record)
    clock.now += 10_850 - (clock.now % 1000)
    const home = clock.now
    const writer = connect({
      ...connection.ports,
      now: () => home + CLOCK_TOLERANCE_MS - 50,
      seen: memorySeen(),
    })
    await writer.append(record, [ENTRY])
    clock.now += 50
    await tendLog()
    const holdsIt = await note()
    const { head } = await connection.api.head(record)
    clock.now += BROKEN_AFTER_MS + 2000
    await createRecord(connection, HOME, ['general'])
    await tendLog()
    const parent = { block: link.opened.compact, state: fromUtf8(stateBytes(link.state)) }
    const block = await blockAt(record, link.opened.block.height + 1)
    const bytes = await promise(head, parent, block, link.state.labelKeyHash, holdsIt)
    await expect(verifyEvidence(bytes, pins)).rejects.toMatchObject({
      message: 'rule start: the earlier tree may hold the block already',
    })
  })

  it.each([61_500, CLOCK_TOLERANCE_MS])(
    'convicts no home whose sequencer has a clock that is %s ms ahead',
    async (aheadMs) => {
      const { clock, tendLog, connection, record, blockAt, promise, pins } = await world()
      await tendLog()
      const { link } = await connection.replica(record)
      await createRecord(connection, HOME, ['general'])
      clock.now += aheadMs
      await tendLog()
      clock.now -= aheadMs
      await connection.append(record, [ENTRY])
      const { head } = await connection.api.head(record)
      const parent = { block: link.opened.compact, state: fromUtf8(stateBytes(link.state)) }
      const block = await blockAt(record, link.opened.block.height + 1)
      const bytes = await promise(head, parent, block, link.state.labelKeyHash)
      await expect(verifyEvidence(bytes, pins)).rejects.toMatchObject({
        message: expect.stringMatching(/^rule conflict: the tree was not signed more than 180000 ms/),
      })
    },
  )

  it('shows that receipts of an honest log are in order', async () => {
    const { tendLog, record, receipt, blockAt, of, pins } = await world()
    await tendLog()
    const [a, b] = [
      { block: await blockAt(record, 0), receipt: await receipt(0) },
      { block: await blockAt(record, 1), receipt: await receipt(1) },
    ]
    await expect(verifyEvidence(evidenceOfOrder({ ...of, origin: LOG }, [a, b]), pins)).rejects.toMatchObject(
      {
        code: 'VERIFICATION_FAILED',
        message: 'rule conflict: the log entries are in the order of the heights',
      },
    )
  })
})
