// SPDX-License-Identifier: Apache-2.0
import * as v from 'valibot'
import { canonicalBytes } from '../../bytes/canonical-json.ts'
import { fromUtf8, toBase64url } from '../../bytes/encoding.ts'
import { concat, uint32 } from '../../bytes/frame.ts'
import { chainId, count, parseWith } from '../../bytes/schema.ts'
import { AmpereError } from '../../errors.ts'
import type { Checkpoint } from '../../log/note/checkpoint.ts'

/** Consecutive blocks of one chain, or of the registry, that were logged at consecutive indexes. */
export interface LoggedRun {
  /** Id of the chain or of the registry. */
  readonly chain: string
  /** Height of the first block. */
  readonly from: number
  readonly count: number
  /** Index in the log of the first block. */
  readonly index: number
}

/** Bytes that the log serves at a path below its prefix. */
export interface LogFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * All that committing a larger tree makes true: tiles and bundles to be served, and which blocks were logged where. It
 * is stored before the commit, so that whoever finds the commit can finish what it promised, however often.
 */
export interface Staging {
  readonly files: readonly LogFile[]
  readonly runs: readonly LoggedRun[]
}

const headSchema = v.strictObject({
  v: v.literal(1),
  files: v.array(v.strictObject({ path: v.string(), bytes: count })),
  runs: v.array(v.strictObject({ chain: chainId, from: count, count, index: count })),
})

/** uint32 length of a JSON head, the head, then the files' bytes in order. */
export function encodeStaging({ files, runs }: Staging): Uint8Array<ArrayBuffer> {
  const head = canonicalBytes({
    v: 1,
    files: files.map(({ path, bytes }) => ({ path, bytes: bytes.length })),
    runs,
  })
  return concat(uint32(head.length), head, ...files.map(({ bytes }) => bytes))
}

/**
 * Name of the bundle that leads from a tree of `before` leaves to another. The same leaves on the same tree make the
 * same bundle, whoever makes it. The tree below belongs to the name: the same larger tree may be reached in one step or
 * in two, and what these promise differs.
 */
export function stagingName(before: number, to: Pick<Checkpoint, 'size' | 'root'>): string {
  return `${before}${stagingSuffix(to)}`
}

/** True for the name of a bundle that leads to this tree. */
export function leadsTo(name: string, to: Pick<Checkpoint, 'size' | 'root'>): boolean {
  const suffix = stagingSuffix(to)
  return name.endsWith(suffix) && /^(0|[1-9]\d*)$/.test(name.slice(0, -suffix.length))
}

/** Leaves of the tree from which the bundle with this name leads on: its runs begin there, and are noted again by whoever applies it. */
export function leavesBefore(name: string): number {
  return Number(name.slice(0, name.indexOf('-')))
}

function stagingSuffix({ size, root }: Pick<Checkpoint, 'size' | 'root'>): string {
  return `-${size}-${toBase64url(root)}`
}

/** @throws AmpereError STORE_CORRUPT: what is read here was written by `encodeStaging` */
export function decodeStaging(bytes: Uint8Array): Staging {
  const headBytes = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
  let at = 4 + headBytes
  if (bytes.length < at) throw corrupt()
  const head = parseWith(headSchema, parseHead(bytes.subarray(4, at)), 'STORE_CORRUPT', 'staging bundle')
  const files = head.files.map(({ path, bytes: length }) => {
    at += length
    return { path, bytes: bytes.subarray(at - length, at) }
  })
  if (at !== bytes.length) throw corrupt()
  return { files, runs: head.runs }
}

function parseHead(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes))
  } catch (cause) {
    throw corrupt(cause)
  }
}

function corrupt(cause?: unknown): AmpereError {
  return new AmpereError('STORE_CORRUPT', 'a staging bundle was changed', { cause })
}
