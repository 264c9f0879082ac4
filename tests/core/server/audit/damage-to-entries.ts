// SPDX-License-Identifier: Apache-2.0
import { toBase64url, utf8 } from '#core/bytes/encoding.ts'
import type { BlockId } from '#core/bytes/ids.ts'
import { encodeKeyRow, entomb, parseKeyRow } from '#core/block/key-row.ts'
import { heightKey, objectName, rowKey } from '#core/server/store/rows.ts'
import { entriesAt, put, putObject, rowBefore, type Audited } from './audited.ts'

import { nothing, type Damage } from './damage-to-keys.ts'

const kept = (of: Audited) => of.heights.kept

/** Damage to key rows and objects. */
export const TO_ENTRIES: readonly Damage[] = [
  {
    what: 'a changed key row',
    make: async (of) =>
      put(of.world, 'wraps', of.record, await rowAt(of, kept(of)), (text) =>
        text.replace(/"wrapped":"(.)/, (_, c: string) => `"wrapped":"${c === 'A' ? 'B' : 'A'}`),
      ),
    height: kept,
    status: 'tampered',
    rule: 'keys-root',
  },
  {
    what: 'a key row whose envelope says another epoch',
    make: async (of) =>
      put(of.world, 'wraps', of.record, await rowAt(of, kept(of)), (text) =>
        text.replace(/"epoch":(\d+)/, (_, epoch: string) => `"epoch":${Number(epoch) + 1}`),
      ),
    height: kept,
    status: 'tampered',
    rule: 'keys-root',
  },
  {
    what: 'a lost key row',
    make: async (of) => put(of.world, 'wraps', of.record, await rowAt(of, kept(of)), nothing),
    height: kept,
    status: 'missing',
    rule: 'keys-row',
  },
  {
    what: 'a key that was destroyed without an order',
    make: async (of) =>
      put(of.world, 'wraps', of.record, await rowAt(of, kept(of)), (text) =>
        encodeKeyRow(entomb(parseKeyRow(utf8(text)), [0], toBase64url(new Uint8Array(32)) as BlockId)),
      ),
    height: kept,
    status: 'missing',
    rule: 'destroyed-key',
  },
  {
    what: 'a key that an order for another entry is said to have destroyed',
    make: async (of) => {
      const erasure = await of.world.platform.table('blocks').get(of.record, heightKey(of.heights.erased))
      const row = parseKeyRow(
        (await of.world.platform.table('wraps').get(of.record, await rowAt(of, of.heights.part)))?.value ??
          utf8(''),
      )
      const order = row.keys.flatMap((key) => ('erased' in key ? [key.erased] : []))[0]
      if (!order || !erasure) throw new Error('one key is erased')
      await put(of.world, 'wraps', of.record, await rowAt(of, of.heights.part), (text) =>
        encodeKeyRow(entomb(parseKeyRow(utf8(text)), [0, 1], order)),
      )
    },
    height: (of) => of.heights.part,
    status: 'missing',
    rule: 'destroyed-key',
  },
  {
    what: 'an erased key that is there again',
    make: async (of) => {
      const key = await rowAt(of, of.heights.part)
      await put(of.world, 'wraps', of.record, key, () => rowBefore(of, 'wraps', of.record, key))
    },
    height: (of) => of.heights.part,
    status: 'tampered',
    rule: 'erased-key',
  },
  {
    what: 'an erased key that is there again without its object',
    make: async (of) => {
      const key = await rowAt(of, of.heights.whole)
      await put(of.world, 'wraps', of.record, key, () => rowBefore(of, 'wraps', of.record, key))
    },
    height: (of) => of.heights.whole,
    status: 'tampered',
    rule: 'erased-key',
  },
  {
    what: 'a lost object',
    make: (of) => putObject(of, kept(of), nothing),
    height: kept,
    status: 'missing',
    rule: 'object',
  },
  {
    what: 'an object with another descriptor',
    make: (of) => putObject(of, kept(of), (object) => respelled(object, /"id":"/)),
    height: kept,
    status: 'tampered',
    rule: 'entries-root',
  },
  {
    what: 'an object with another ciphertext',
    make: (of) =>
      putObject(of, kept(of), (object) => object.with(object.length - 1, (object.at(-1) ?? 0) ^ 1)),
    height: kept,
    status: 'tampered',
    rule: 'entry-hash',
  },
  {
    what: 'an object that is longer than its descriptors say',
    make: (of) => putObject(of, kept(of), (object) => Uint8Array.from([...object, 0])),
    height: kept,
    status: 'tampered',
    rule: 'object-form',
  },
  {
    what: 'something that is no object',
    make: (of) => putObject(of, kept(of), () => utf8('x')),
    height: kept,
    status: 'tampered',
    rule: 'object-form',
  },
  {
    what: 'an erased object that is there again',
    make: async (of) => {
      const name = objectName(of.record, (await entriesAt(of, of.record, of.heights.whole)).root)
      const object = of.before.objects.find((item) => item.name === name)
      await of.world.platform.objects('entries').store(name, object?.bytes ?? utf8(''))
    },
    height: (of) => of.heights.whole,
    status: 'tampered',
    rule: 'erased-object',
  },
]

async function rowAt(of: Audited, height: number): Promise<string> {
  return rowKey(await entriesAt(of, of.record, height))
}

/** Another first character of the text that follows `pattern`. */
function respelled(object: Uint8Array, pattern: RegExp): Uint8Array {
  const match = pattern.exec(Buffer.from(object).toString('latin1'))
  const i = (match?.index ?? 0) + (match?.[0].length ?? 0)
  return object.with(i, object[i] === 65 ? 66 : 65)
}
