// SPDX-License-Identifier: Apache-2.0
import type { Client, NewClient } from '#core/bridge/store/clients.ts'
import type { ClientKey } from '#core/token/client-keys.ts'

/** A client as the register tells of it: of its keys their names. */
export type ShownClient = Omit<Client, 'keys' | 'registration'> & {
  readonly keys: readonly Pick<ClientKey, 'kid' | 'alg'>[]
}

/** The register of clients, in this computer's table or behind a bridge in a cloud; as `Clients` says. */
export interface ClientRegister {
  find(id: string): Promise<ShownClient | null>
  list(): Promise<readonly ShownClient[]>
  isEmpty(): Promise<boolean>
  register(client: NewClient): Promise<ShownClient>
  suspend(id: string): Promise<ShownClient>
  remove(id: string): Promise<boolean>
}

/** The clients of one institution's bridge, and where they find it. */
export interface OpenClients {
  readonly clients: ClientRegister
  readonly institution: string
  /** Base of the bridge's addresses, without a slash at the end. */
  readonly base: string
  /** The deployment that has the bridge; null for this computer, where it answers everybody while no client is registered. */
  readonly cloud: string | null
}
