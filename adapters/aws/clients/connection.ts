// SPDX-License-Identifier: Apache-2.0
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import { translated } from '../errors.ts'
import { callOf, type AwsCall, type AwsService } from './calls.ts'

/** Credentials, or what gives them; the SDK's own chain where none are given. */
export type AwsCredentials = AwsIdentity | (() => Promise<AwsIdentity>)

/** Of a user, or with `sessionToken` of a role. */
export interface AwsIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/** How a service is reached. */
export interface AwsConnection {
  readonly region: string
  /** Of an emulator or a private endpoint; AWS's own where it is left out. */
  readonly endpoint?: string | undefined
  readonly credentials?: AwsCredentials | undefined
  /** Told of each request that is sent. */
  readonly observe?: ((call: AwsCall) => void) | undefined
  /** Until an answer begins, and between two parts of it, in milliseconds; `ANSWER_MS` where it is left out. */
  readonly answerMs?: number | undefined
}

const CONNECT_MS = 2000
/** S3 takes up to 16 MB in one request. */
const ANSWER_MS: Readonly<Record<AwsService, number>> = { dynamodb: 5000, kms: 5000, s3: 30_000 }
/**
 * How long a connection may lie idle before it is used again. A function that was frozen wakes with connections that AWS has
 * closed meanwhile; a request on one of them fails, and whether it was carried out is not known, so it must not be repeated
 * here. A new connection costs some milliseconds.
 */
const MAX_IDLE_MS = 5000
const MAX_SOCKETS = 100

/** What a client of the SDK is made with. No retries: the port's callers do that, who know what a repeated write means. */
export function clientConfig(
  { region, endpoint, credentials, answerMs }: AwsConnection,
  service: AwsService,
) {
  const timeoutMs = answerMs ?? ANSWER_MS[service]
  const agents = { keepAlive: true, maxSockets: MAX_SOCKETS }
  const [httpAgent, httpsAgent] = [new HttpAgent(agents), new HttpsAgent(agents)]
  const config = {
    region,
    maxAttempts: 1,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      httpAgent,
      httpsAgent,
    },
  }
  return { config, closeIdle: idleCloser([httpAgent, httpsAgent]) }
}

/** Closes what has been idle too long, by the wall clock: other clocks may stand while a function is frozen. */
function idleCloser(agents: readonly HttpAgent[]): () => void {
  const freedAt = new WeakMap<Socket, number>()
  for (const agent of agents) agent.on('free', (socket: Socket) => void freedAt.set(socket, Date.now()))
  return () => {
    for (const sockets of agents.flatMap((agent) => Object.values(agent.freeSockets)))
      for (const socket of sockets ?? [])
        if (Math.abs(Date.now() - (freedAt.get(socket) ?? 0)) > MAX_IDLE_MS) socket.destroy()
  }
}

/** Where `watching` stands in the stack of a client: next to the connection, after everything that could fail before it. */
export const NEXT_TO_CONNECTION = { step: 'deserialize', priority: 'low', name: 'ampereWatch' } as const

/** Middleware that has each request of a client told, just before it is sent, and sent on no stale connection. */
export function watching(service: AwsService, { observe }: AwsConnection, closeIdle: () => void) {
  return <A extends { readonly input: object }, R>(
    next: (args: A) => Promise<R>,
    { commandName = '' }: { readonly commandName?: string },
  ) =>
    (args: A): Promise<R> => {
      closeIdle()
      observe?.(callOf(service, commandName, args.input))
      return next(args)
    }
}

/** Asks one operation (`PutItem`) of a service; what fails leaves as AmpereError. */
export type Ask = <O>(operation: string, input: object, act: () => Promise<O>) => Promise<O>

export function asking(service: AwsService, { region }: AwsConnection): Ask {
  return async (operation, input, act) => {
    try {
      return await act()
    } catch (error) {
      throw translated(error, callOf(service, operation, input), region)
    }
  }
}
