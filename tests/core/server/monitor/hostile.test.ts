// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { logIdOf } from '#core/api/log.ts'
import { fromBase64url, fromUtf8, toHex, utf8 } from '#core/bytes/encoding.ts'
import { leafHash, merkleRoot } from '#core/log/merkle.ts'
import { encodeBundle } from '#core/log/tile/bundle.ts'
import { MAX_BUNDLE_BYTES } from '#core/server/monitor/fetch-log.ts'
import { MAX_FINDINGS } from '#core/server/monitor/against/findings.ts'
import { labelsPartition } from '#core/server/monitor/labels.ts'
import { SLICE_LEAVES } from '#core/server/monitor/slice.ts'
import { signerOf } from '#tests/core/log/signers.ts'
import { entriesTo, entryAt, LOG_ORIGIN, servedLog, type ServedLog } from './served-log.ts'
import { testMonitor, type TestMonitor } from './monitor.ts'
import { only, scene } from './scene.ts'

const FAILED = { code: 'UPSTREAM_FAILED' }

/** Whatever happened, lookups still speak of the seven leaves. */
async function staysAtSeven(monitor: TestMonitor) {
  expect(await monitor.says(6)).toMatchObject({ size: 7, index: 6 })
  expect(await monitor.says(7)).toMatchObject({ size: 7, index: null })
}

describe('a monitor of a log that contradicts itself', () => {
  it('keeps both notes when the log shows a smaller tree than before', async () => {
    const { log, monitor } = await scene()
    await log.grow(5)
    expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'rollback', size: 7, added: 0 })
    expect(await only(monitor)).toEqual({ kind: 'rollback', sizes: [7, 5], roots: 2, leaves: [] })
    await staysAtSeven(monitor)
  })

  it('keeps both notes when the log shows another tree of the same size', async () => {
    const { log, monitor } = await scene()
    await log.grow(7, { forkAt: 3 })
    expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'same-size' })
    expect(await only(monitor)).toEqual({ kind: 'same-size', sizes: [7, 7], roots: 2, leaves: [] })
    await staysAtSeven(monitor)
  })

  it('keeps both notes of a split view: a larger tree that does not continue the verified one', async () => {
    const { log, monitor } = await scene()
    await log.grow(9, { forkAt: 3 })
    expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'fork' })
    expect(await only(monitor)).toEqual({ kind: 'fork', sizes: [7, 9], roots: 2, leaves: [] })
    await staysAtSeven(monitor)
    // The honest side of it, shown later, does not wipe out what was signed.
    await log.grow(9)
    expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'same-size' })
    await staysAtSeven(monitor)
  })

  it('shows both leaves of a label that occurs twice, in one slice and in two', async () => {
    for (const [first, size] of [
      [8, 9],
      [2, 8],
    ] as const) {
      const { log, monitor } = await scene()
      const entries = [...entriesTo(size), entryAt(first, 0)]
      await log.publish(entries)
      expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'duplicate-label' })
      const { sizes, leaves } = await only(monitor)
      expect(sizes).toEqual([size + 1])
      expect(leaves.map(({ index }) => index)).toEqual([first, size])
      expect(leaves.map(({ entry }) => toHex(fromBase64url(entry)))).toEqual(
        [entryAt(first), entryAt(first, 0)].map(toHex),
      )
      await staysAtSeven(monitor)
      await log.publish([...entries, entryAt(20)])
      expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'duplicate-label' })
      await only(monitor)
      await staysAtSeven(monitor)
    }
  })

  it.each([
    ['another version', Uint8Array.from([2, ...entryAt(7).subarray(1)])],
    ['a byte less', entryAt(7).subarray(0, 64)],
    ['a byte more', Uint8Array.from([...entryAt(7), 0])],
    ['nothing in it', new Uint8Array(0)],
  ])('shows an entry of another form: %s', async (_, odd) => {
    const { log, monitor } = await scene()
    await log.publish([...entriesTo(7), odd])
    expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'leaf-form' })
    const { kind, leaves } = await only(monitor)
    expect(kind).toBe('leaf-form')
    expect(leaves.map(({ index, entry }) => [index, toHex(fromBase64url(entry))])).toEqual([[7, toHex(odd)]])
    await staysAtSeven(monitor)
  })

  it('keeps the same finding once, however often it is met, and a bounded number of different ones', async () => {
    const { log, monitor } = await scene()
    for (let i = 0; i < MAX_FINDINGS + 2; i++) {
      await log.grow(7, { root: merkleRoot([leafHash(utf8(String(i)))]) })
      await monitor.run()
      await monitor.run()
    }
    await log.grow(3)
    await monitor.run()
    const kinds = (await monitor.findings()).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'same-size')).toHaveLength(MAX_FINDINGS)
    expect(kinds).toContain('rollback')
  })
})

describe('a monitor that is served something else than was signed', () => {
  /** Serves other entries in place of the newest bundle, then the right ones again. */
  const served = async (bundle: Uint8Array) => {
    const { log, monitor } = await scene()
    await log.grow(9)
    log.instead.answer = (path) => (path.startsWith('tile/entries') ? new Response(bundle.slice()) : null)
    const outcome = await monitor.run().then(
      ({ finding }) => finding,
      (error: { code: string }) => error.code,
    )
    await staysAtSeven(monitor)
    log.instead.answer = null
    expect(await monitor.run()).toMatchObject({ outcome: 'current', size: 9 })
    expect(await monitor.says(8)).toMatchObject({ size: 9, index: 8 })
    return outcome
  }
  const right = entriesTo(9)

  it('finds entries in another order, or others, by the root, indexes none of them, and goes on once it is right', async () => {
    const swapped = [...right.slice(0, 7), right[8], right[7]] as Uint8Array[]
    expect(await served(encodeBundle(swapped))).toBe('root')
    expect(await served(encodeBundle(entriesTo(9, 8)))).toBe('root')
  })

  it('fails without a finding for bundles that are cut, too long or empty', async () => {
    const whole = encodeBundle(right)
    for (const bytes of [whole.slice(0, -1), Uint8Array.from([...whole, 0]), new Uint8Array(0)])
      expect(await served(bytes)).toBe('UPSTREAM_FAILED')
  })

  it('indexes nothing of a slice that the tiles do not show to begin the signed tree', async () => {
    const log = await servedLog()
    const monitor = await testMonitor(log)
    await log.grow(SLICE_LEAVES + 300)
    log.instead.answer = (path) => {
      if (path !== 'tile/entries/000') return null
      const first = [entryAt(0, 0), ...entriesTo(256).slice(1)]
      return new Response(encodeBundle(first))
    }
    expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'root', added: 0 })
    expect(await monitor.platform.table('monitored').range(labelsPartition(logIdOf(LOG_ORIGIN)))).toEqual([])
    log.instead.answer = (path) => (path === 'tile/1/000.p/9' ? new Response(new Uint8Array(9 * 32)) : null)
    expect(await monitor.run()).toMatchObject({ outcome: 'finding', finding: 'root', added: 0 })
    log.instead.answer = (path) => (path.startsWith('tile/1/') ? new Response(null, { status: 404 }) : null)
    await expect(monitor.run()).rejects.toMatchObject(FAILED)
    log.instead.answer = null
    expect(await monitor.settle()).toMatchObject({ outcome: 'current', size: SLICE_LEAVES + 300 })
    expect(await monitor.says(0)).toMatchObject({ index: 0 })
  })
})

describe('a monitor of a log that does not answer as it should', () => {
  const checkpointOf = async (log: ServedLog) => {
    await log.grow(9)
    return fromUtf8(log.files.get('checkpoint') ?? utf8(''))
  }

  it('takes no checkpoint of another origin, by another key, unsigned, changed or malformed', async () => {
    const { log, monitor } = await scene()
    const note = await checkpointOf(log)
    const other = await servedLog('other.example/log')
    const foreign = await signerOf(LOG_ORIGIN, 'Ed25519', 9)
    const notes = [
      await other.grow(9),
      await log.grow(9, { signer: foreign }),
      `${note.split('\n\n')[0]}\n`,
      note.replace('\n9\n', '\n10\n'),
      note.replace('\n9\n', '\n09\n'),
      'nonsense',
      '',
    ]
    for (const each of notes) {
      log.files.set('checkpoint', utf8(each))
      await expect(monitor.run()).rejects.toMatchObject(FAILED)
    }
    log.files.set('checkpoint', Uint8Array.from([0xff, 0xfe, 0x0a]))
    await expect(monitor.run()).rejects.toMatchObject(FAILED)
    await staysAtSeven(monitor)
    expect(await monitor.findings()).toEqual([])
  })

  it('takes no checkpoint of a second log whose key is in the same policy', async () => {
    const { log, monitor } = await scene()
    const other = await servedLog('other.example/log')
    const note = await other.grow(9)
    log.files.set('checkpoint', utf8(note))
    const both = { ...log.policy, logs: [...log.policy.logs, ...other.policy.logs] }
    Object.assign(monitor.watched, { policy: both })
    await expect(monitor.run()).rejects.toMatchObject({
      ...FAILED,
      message: 'the log answered with the checkpoint of another',
    })
  })

  it('reads no more than an answer may have, whatever is asked', async () => {
    const { log, monitor } = await scene()
    await log.grow(9)
    let sent = 0
    const endless = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => {
            sent += 65_536
            controller.enqueue(new Uint8Array(65_536))
          },
        }),
      )
    for (const prefix of ['checkpoint', 'tile/entries']) {
      sent = 0
      log.instead.answer = (path) => (path.startsWith(prefix) ? endless() : null)
      await expect(monitor.run()).rejects.toMatchObject({
        ...FAILED,
        message: expect.stringMatching(/^the log answered with more than \d+ bytes$/),
      })
      expect(sent).toBeLessThan(MAX_BUNDLE_BYTES + 4 * 65_536)
    }
    await staysAtSeven(monitor)
  })

  it('gives up an answer that hangs, before its head and in its body', async () => {
    const never = new Promise<Response>(() => {})
    for (const hanging of [() => never, () => new Response(new ReadableStream({}))]) {
      const { log, monitor } = await scene()
      await log.grow(9)
      log.instead.answer = (path) => (path.startsWith('tile') ? hanging() : null)
      const run = monitor.run()
      monitor.stop.abort()
      await expect(run).rejects.toMatchObject({ ...FAILED, message: 'the log did not answer in time' })
    }
  })

  it('says so when the log answers with an error, or not at all', async () => {
    const { log, monitor } = await scene()
    log.instead.answer = () => new Response('no', { status: 503 })
    await expect(monitor.run()).rejects.toMatchObject({ ...FAILED, message: 'the log answered 503' })
    log.instead.answer = () => new Response(null, { status: 404 })
    await expect(monitor.run()).rejects.toMatchObject({ ...FAILED, message: 'the log serves no checkpoint' })
    log.instead.answer = () => Promise.reject(new TypeError('refused'))
    await expect(monitor.run()).rejects.toMatchObject({ ...FAILED, message: 'the log cannot be reached' })
  })
})
