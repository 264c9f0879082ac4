// SPDX-License-Identifier: Apache-2.0
import { LOG_PREFIX } from '../../api/log.ts'
import { fromUtf8 } from '../../bytes/encoding.ts'
import { LEAF_BYTES } from '../../block/leaf.ts'
import { AmpereError } from '../../errors.ts'
import { checkpointIn } from '../../log/note/checkpoint.ts'
import { MAX_NOTE_BYTES } from '../../log/note/note.ts'
import { decodeBundle } from '../../log/tile/bundle.ts'
import { bundlesBetween } from '../../log/tile/extent.ts'
import { bundlePath, TILE_WIDTH, type BundleId } from '../../log/tile/path.ts'
import { call } from '../answer.ts'
import type { ClientPorts } from '../client.ts'

/** Bytes of an entry bundle: each entry has its length in two bytes before it. */
const MAX_BUNDLE_BYTES = TILE_WIDTH * (LEAF_BYTES + 2)
/** Bundles that are asked for at a time. */
const AT_ONCE = 8

/** A checkpoint that a home publishes, with all entries of its tree; unchecked. */
export interface PublishedLog {
  readonly note: string
  readonly entries: readonly Uint8Array[]
}

/**
 * The newest tree of the home's log, whole.
 * @throws AmpereError UPSTREAM_FAILED; NOT_FOUND for a log of more than `maxEntries`; LOG_MALFORMED
 */
export async function readPublishedLog(
  ports: Pick<ClientPorts, 'fetch' | 'deadline' | 'pins'>,
  maxEntries: number,
): Promise<PublishedLog> {
  const note = fromUtf8(required(await read(ports, 'checkpoint', MAX_NOTE_BYTES)))
  const { size } = checkpointIn(note)
  if (size > maxEntries) throw new AmpereError('NOT_FOUND', 'the log has more entries than a file can hold')
  const ids = [...bundlesBetween(0, size)]
  const entries: Uint8Array[] = []
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    const bundles = await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => readBundle(ports, id)))
    entries.push(...bundles.flat())
  }
  return { note, entries }
}

/** A partial bundle may have given way to the full one (c2sp.org/tlog-tiles). */
async function readBundle(
  ports: Pick<ClientPorts, 'fetch' | 'deadline' | 'pins'>,
  { index, width }: BundleId,
): Promise<readonly Uint8Array[]> {
  const own = await read(ports, bundlePath({ index, width }), MAX_BUNDLE_BYTES)
  if (own) return decodeBundle(own, width)
  const full = required(await read(ports, bundlePath({ index, width: TILE_WIDTH }), MAX_BUNDLE_BYTES))
  return decodeBundle(full, TILE_WIDTH).slice(0, width)
}

async function read(
  ports: Pick<ClientPorts, 'fetch' | 'deadline' | 'pins'>,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | null> {
  const url = new URL(`${LOG_PREFIX}/${path}`, ports.pins.origin)
  const request = { url, init: {}, bytes: 0 }
  const { ok, bytes } = await call(ports, request, { maxBytes, beyond: 'fail' })
  return ok ? bytes : null
}

function required(bytes: Uint8Array | null): Uint8Array {
  if (!bytes) throw new AmpereError('UPSTREAM_FAILED', 'the home does not serve a part of its log')
  return bytes
}
