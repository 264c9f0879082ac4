// SPDX-License-Identifier: Apache-2.0
import { encodeAppend } from '#core/api/append.ts'
import { parseBlock, type OpenedBlock } from '#core/block/open-block.ts'
import { appendEntries } from '#core/client/append-entries.ts'
import type { NewEntry } from '#core/client/client.ts'
import type { Connection } from '#core/client/connect.ts'
import type { Replica } from '#core/client/read/replica.ts'

/** Blocks that a client sealed and signed, as it would send them, and the replica as of the last. */
export interface SealedAppends {
  readonly bodies: readonly Uint8Array<ArrayBuffer>[]
  readonly next: Replica
}

/**
 * Seals and signs what a client appends, by the client's own code but without sending it: the answer that
 * every block was accepted is made up here, so no home takes part in the time.
 */
export async function sealAppends(
  connection: Connection,
  replica: Replica,
  appends: readonly (readonly NewEntry[])[],
): Promise<SealedAppends> {
  const { names } = await connection.keyring(replica)
  const ids = new Map([...names].map(([id, name]) => [name, id]))
  const bodies: Uint8Array<ArrayBuffer>[] = []
  let next = replica
  for (const entries of appends) {
    await appendEntries(
      {
        ports: connection.ports,
        compartmentIds: (name) => ids.get(name) ?? null,
        began: () => {},
        refresh: async () => next,
        submit: async (append) => {
          bodies.push(encodeAppend(append))
          const opened = parseBlock(append.block) as OpenedBlock
          next = { ...next, link: { opened, state: next.link.state } }
          return opened
        },
      },
      next,
      entries,
    )
  }
  return { bodies, next }
}

/** The request that sends one sealed append to a home. */
export function appendRequest(origin: string, body: Uint8Array<ArrayBuffer>): Request {
  const headers = { 'content-type': 'application/vnd.ampere.append' }
  return new Request(new URL('/v1/blocks', origin), { method: 'POST', headers, body })
}
