// SPDX-License-Identifier: Apache-2.0
import { authorize } from '#core/api/request.ts'
import type { Signer } from '#core/ports/keys.ts'
import type { Operation } from '#functions/host/operation.ts'
import { ORIGIN, type TestDeployment } from '#tests/deployment.ts'

/** What is sent for an operation; what is left out is not sent. */
export interface Asking {
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | number>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer>
  /** Who signs, where the operation wants that; hospital A's first instance by default, null for nobody. */
  readonly signer?: Signer | null
}

/** The path and query of an operation with these parameters. */
export function targetOf(operation: Operation, { path = {}, query = {} }: Asking): string {
  const filled = operation.pattern.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, (_, name: string) => path[name] ?? '')
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]))
  return search.size > 0 ? `${filled}?${search.toString()}` : filled
}

/** A request for an operation, signed where that is needed. */
export async function requestFor(
  world: TestDeployment,
  operation: Operation,
  asking: Asking = {},
): Promise<Request> {
  const url = new URL(targetOf(operation, asking), ORIGIN)
  const signer = asking.signer === undefined ? world.institution('hospital-a').instance : asking.signer
  const ports = { now: () => world.clock.now, random: world.random }
  const signed =
    operation.signed && signer
      ? {
          authorization: await authorize(
            {
              method: operation.method === 'POST' ? 'POST' : 'GET',
              url,
              body: asking.body ?? new Uint8Array(0),
            },
            { ...ports, signer },
          ),
        }
      : {}
  const type = operation.body ? { 'content-type': operation.body.type } : {}
  return new Request(url, {
    method: operation.method,
    headers: { ...signed, ...type, ...asking.headers },
    ...(asking.body ? { body: asking.body } : {}),
  })
}

/** Asks a home for an operation. */
export async function ask(
  world: TestDeployment,
  operation: Operation,
  asking: Asking = {},
): Promise<Response> {
  return world.fetch(await requestFor(world, operation, asking))
}

/** Asks for an operation as a part of the conversation. */
export type Say = (operation: Operation, asking?: Asking) => Promise<void>
