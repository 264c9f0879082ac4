// SPDX-License-Identifier: Apache-2.0
import { toBase64url } from '../../bytes/encoding.ts'
import { AmpereError } from '../../errors.ts'
import type { Now, Random } from '../../ports/keys.ts'
import type { Row, WriteTable } from '../../ports/table.ts'
import type { Registration } from '../../token/client-registration.ts'
import { formatScopes, readScopes } from '../../token/scopes.ts'
import type { SealedRows } from './sealed-rows.ts'

/** Software that may ask this bridge for tokens: a SMART backend service. */
export interface Client extends Registration {
  /** 1 to 128 visible ASCII characters; the `client_id` of OAuth. */
  readonly id: string
  readonly status: 'active' | 'suspended'
  /** Changes whenever anything here does; tokens name it, so that none outlives what it was issued for. */
  readonly registration: string
  /** Since when it is as it is, in ms since 1970. */
  readonly changedMs: number
}

export type NewClient = Registration & Pick<Client, 'id'>

/** The clients of one bridge. */
export interface Clients {
  find(id: string): Promise<Client | null>
  /** In order of their ids. */
  list(): Promise<readonly Client[]>
  isEmpty(): Promise<boolean>
  /** Registers a client, or replaces all that is registered of it; it is active then. */
  register(client: NewClient): Promise<Client>
  /** Gives it no token any more, and ends those that it has. @throws AmpereError NOT_FOUND */
  suspend(id: string): Promise<Client>
  /** @returns false where there was none */
  remove(id: string): Promise<boolean>
}

const PARTITION = 'client'
/** How often a change is tried while others change the same client. */
const MAX_ATTEMPTS = 5
/** Opened rows kept, of clients that were asked for. */
const MAX_OPENED = 256

interface Kept extends Omit<Client, 'scopes'> {
  readonly scopes: string
}

/** Clients in the bridge's own table, sealed. */
export function createClients(
  table: WriteTable,
  rows: SealedRows,
  ports: { readonly now: Now; readonly random: Random },
): Clients {
  const nameOf = (id: string) => rows.nameOf(PARTITION, id)
  const opened = openedRows(rows)
  const change = async (id: string, next: (known: Client | null) => NewClient & Pick<Client, 'status'>) =>
    swapping(table, nameOf(id), async (row) => {
      const client: Client = {
        ...next(row && (await opened(row))),
        registration: toBase64url(ports.random(16)),
        changedMs: ports.now(),
      }
      const kept: Kept = { ...client, scopes: formatScopes(client.scopes) }
      return { result: client, value: await rows.seal({ client: JSON.stringify(kept) }) }
    })
  return {
    find: async (id) => {
      const row = await table.get(PARTITION, nameOf(id))
      return row && opened(row)
    },
    list: async () => {
      const clients: Client[] = []
      for (let from = ''; ;) {
        const page = await table.range(PARTITION, { from })
        for (const row of page) clients.push(await opened(row))
        const last = page.at(-1)
        if (!last) return clients.toSorted((a, b) => (a.id < b.id ? -1 : 1))
        from = `${last.key}\u0000`
      }
    },
    isEmpty: async () => (await table.range(PARTITION, { limit: 1 })).length === 0,
    register: ({ id, name, jwksUrl, keys, scopes }) =>
      change(id, () => ({ id, name, jwksUrl, keys, scopes, status: 'active' })),
    suspend: (id) =>
      change(id, (known) => {
        if (!known) throw new AmpereError('NOT_FOUND', 'no such client')
        return { ...known, status: 'suspended' }
      }),
    remove: (id) => swapping(table, nameOf(id), async (row) => ({ result: row !== null, value: null })),
  }
}

/** Changes a row to what is computed from it, anew when somebody else was first. @throws AmpereError HEAD_CONFLICT */
async function swapping<T>(
  table: WriteTable,
  name: string,
  next: (row: Row | null) => Promise<{ readonly result: T; readonly value: Uint8Array | null }>,
): Promise<T> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const row = await table.get(PARTITION, name)
    const { result, value } = await next(row)
    const isThereAlready = row === null && value === null
    if (isThereAlready || (await table.swap(PARTITION, name, row?.version ?? null, value)) !== null)
      return result
  }
  throw new AmpereError('HEAD_CONFLICT', 'others are changing this client')
}

/** Each row is opened once, so that imported keys stay with their client. A row that was changed has other bytes. */
function openedRows(rows: SealedRows): (row: Row) => Promise<Client> {
  const kept = new Map<string, { readonly sealed: string; readonly client: Client }>()
  return async ({ key, value }) => {
    const sealed = toBase64url(value)
    const known = kept.get(key)
    if (known?.sealed === sealed) return known.client
    const client = readKept((await rows.open(value))['client'])
    // Whoever holds the table could put the row of one client in the place of another's.
    if (rows.nameOf(PARTITION, client.id) !== key)
      throw new AmpereError('STORE_CORRUPT', 'a row of a client is in the wrong place')
    if (kept.size >= MAX_OPENED) kept.clear()
    kept.set(key, { sealed, client })
    return client
  }
}

function readKept(text: string | undefined): Client {
  if (text === undefined) throw new AmpereError('STORE_CORRUPT', 'a row of a client holds something else')
  const { scopes, ...rest } = JSON.parse(text) as Kept
  return { ...rest, scopes: readScopes(scopes) }
}
