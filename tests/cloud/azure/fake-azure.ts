// SPDX-License-Identifier: Apache-2.0
import type { HttpClient } from '@azure/core-rest-pipeline'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AzureNaming } from '#adapters/azure/open.ts'
import { closeServer } from './fake-vault.ts'
import { routed } from './stack.ts'

/** How the fake answers everything, or that it does not. */
export interface Answering {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly ends?: 'never' | 'early'
}

/** A fake of services that are in trouble: no emulator throttles, denies or breaks off. */
export interface FakeAzure {
  readonly origin: string
  readonly naming: AzureNaming
  /** Leads requests for the addresses of `naming` here. */
  readonly send: HttpClient
  /** How many requests came since the last call. */
  readonly requests: () => number
  readonly answer: (how: Answering) => void
  readonly close: () => Promise<void>
}

const HOSTS = {
  cosmosEndpoint: 'https://ampere-test.documents.azure.com',
  blobEndpoint: 'https://amperetest.blob.core.windows.net',
  vaultUrl: 'https://ampere-test.vault.azure.net',
}

export async function startFakeAzure(): Promise<FakeAzure> {
  const state: { how: Answering; requests: number } = { how: {}, requests: 0 }
  const server = createServer((request, response) => {
    state.requests++
    const { status = 500, headers = {}, body = '{}', ends } = state.how
    if (ends === 'never') return
    if (ends === 'early') {
      request.socket.destroy()
      return
    }
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    naming: {
      ...HOSTS,
      database: 'ampere',
      keys: { vault: { instance: 'sign-instance' }, software: { container: 'keys', wrappedBy: {} } },
    },
    send: routed(Object.fromEntries(Object.values(HOSTS).map((host) => [host, origin]))),
    requests: () => {
      const { requests } = state
      state.requests = 0
      return requests
    },
    answer: (how) => void (state.how = how),
    close: () => closeServer(server),
  }
}
