// SPDX-License-Identifier: Apache-2.0
import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { once } from '#core/order/once.ts'
import { refusalOf, unreachable } from '../errors.ts'
import { callOf, type AzureCall } from './calls.ts'
import type { AzureService } from './naming.ts'

/** How long Azure has, in milliseconds. */
export interface TimeLimits {
  /** To connect, TLS included. */
  readonly connectMs: number
  /** Between two bytes of a request or an answer. */
  readonly idleMs: number
  /** How long a connection is kept without a request: after that, or in a process that was frozen, the other end may be gone. */
  readonly keptMs: number
  /** For a whole request with its answer. */
  readonly requestMs: number
  /** For one whose answer or body is an object: 256 MiB at 1 MiB/s take 256 s. */
  readonly objectMs: number
}

export const TIME_LIMITS: TimeLimits = {
  connectMs: 3_000,
  idleMs: 20_000,
  keptMs: 30_000,
  requestMs: 20_000,
  objectMs: 300_000,
}

export interface TransportOptions {
  readonly observe: (call: AzureCall) => void
  readonly limits: TimeLimits
  /** Sends instead of Node's own client: the tests' way to fakes. */
  readonly send: HttpClient | null
}

/** What all clients of one process send their requests through: connections that are kept, time-outs, and one look at every answer. */
export interface Transport {
  client(service: AzureService, endpoint: string): HttpClient
  /** Ends connections that are kept. */
  close(): void
}

/** One transport for each process. Nothing is tried again: that is up to callers. */
export function openTransport({ observe, limits, send }: TransportOptions): Transport {
  const options = { keepAlive: true, timeout: limits.idleMs }
  const http = hasty(new HttpAgent(options), 'connect', limits)
  const https = hasty(new HttpsAgent(options), 'secureConnect', limits)
  const inner = once(async () => send ?? nodeClient())
  const sendRequest = async (call: AzureCall, request: PipelineRequest): Promise<PipelineResponse> => {
    const isObject = call.service === 'blob'
    const deadline = AbortSignal.timeout(isObject ? limits.objectMs : limits.requestMs)
    const given = request.abortSignal
    request.abortSignal = given instanceof AbortSignal ? AbortSignal.any([given, deadline]) : deadline
    const { agent, dropStale } = request.url.startsWith('https:') ? https : http
    request.agent = agent
    dropStale()
    observe(call)
    try {
      return await (await inner()).sendRequest(request)
    } catch (error) {
      throw unreachable(call, error, deadline.aborted)
    }
  }
  return {
    client: (service, endpoint) => ({
      sendRequest: async (request) => {
        const call = callOf(service, new URL(endpoint), request)
        const response = await sendRequest(call, request)
        const refusal = refusalOf(call, response)
        if (refusal) throw refusal
        return response
      },
    }),
    close: () => {
      http.agent.destroy()
      https.agent.destroy()
    },
  }
}

/** Loaded with the first request: what opens a platform and uses none of it loads nothing. */
async function nodeClient(): Promise<HttpClient> {
  return (await import('@azure/core-rest-pipeline')).createDefaultHttpClient()
}

/** An agent whose connections end when they take too long to be made, or when nothing moves on them. */
function hasty<A extends HttpAgent>(
  agent: A,
  made: 'connect' | 'secureConnect',
  { connectMs, idleMs, keptMs }: TimeLimits,
): { readonly agent: A; readonly dropStale: () => void } {
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, callback) => {
    const socket = connect(options, callback)
    if (!socket) return socket
    const timer = setTimeout(() => socket.destroy(timedOut()), connectMs)
    socket.once(made, () => clearTimeout(timer))
    socket.once('close', () => clearTimeout(timer))
    socket.on('timeout', () => socket.destroy(timedOut()))
    return socket
  }
  // While it was kept it had the time that its server allows for that, which Node leaves in force for the next request.
  const reuse = agent.reuseSocket.bind(agent)
  agent.reuseSocket = (socket: Duplex, request) => {
    if (socket instanceof Socket) socket.setTimeout(idleMs)
    reuse(socket, request)
  }
  const freedMs = new WeakMap<Duplex, number>()
  agent.on('free', (socket: Duplex) => freedMs.set(socket, Date.now()))
  return {
    agent,
    // A timer would be late where it matters, after a process was frozen.
    dropStale: () => {
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? [])
          if (Date.now() - (freedMs.get(socket) ?? 0) > keptMs) socket.destroy()
    },
  }
}

function timedOut(): Error {
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })
}
