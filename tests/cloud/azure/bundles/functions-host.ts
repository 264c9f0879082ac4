// SPDX-License-Identifier: Apache-2.0
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const NAMES = new URL('../../localhost-names.mjs', import.meta.url).href

/** What a bundle registered with its host. */
export interface Registered {
  readonly name: string
  readonly bindings: Readonly<Record<string, Binding>>
}
export interface Binding {
  readonly type: string
  readonly direction: string
  readonly [more: string]: unknown
}

/** What the child says once the bundle is loaded. */
export interface Started {
  readonly port: number
  readonly functions: readonly Registered[]
  /** True where the bundle had the library open its proxy for requests. */
  readonly streams: boolean
}
/** Has the child call a function, or set its clock ahead. */
export interface Asked {
  readonly id: number
  readonly call?: string
  readonly data?: unknown
  readonly now?: number
}
export interface Told {
  readonly id: number
  readonly failed?: string
}

/** A bundle in a process of its own, with the stand-in for its host. */
export interface FunctionsHost extends Started {
  readonly origin: string
  /** @throws Error with the code of the error that the function ended with */
  ask(asked: Omit<Asked, 'id'>): Promise<void>
  /** What the process wrote so far. */
  said(): string
  close(): Promise<void>
}

export interface HostOptions {
  /** Folder of the bundle. */
  readonly folder: string
  /** Its app settings and what App Service adds. */
  readonly env: Readonly<Record<string, string>>
  readonly vaultOrigin: string
  readonly aheadMs: number
}

/** @throws Error with what the process wrote, where it ended before the bundle was loaded */
export async function startHost({ folder, env, vaultOrigin, aheadMs }: HostOptions): Promise<FunctionsHost> {
  const bundle = pathToFileURL(join(folder, 'index.mjs')).href
  const child = fork(join(import.meta.dirname, 'host-child.ts'), [bundle, vaultOrigin, String(aheadMs)], {
    execArgv: ['--disable-warning=ExperimentalWarning', `--import=${NAMES}`],
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let said = ''
  child.stdout?.on('data', (part: Buffer) => (said += String(part)))
  child.stderr?.on('data', (part: Buffer) => (said += String(part)))
  const asking = new Map<number, (told: Told) => void>()
  const started = await new Promise<Started>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the host ended with ${code}: ${said}`)))
    child.on('message', (told: Told | { readonly started: Started }) => {
      if ('started' in told) resolve(told.started)
      else asking.get(told.id)?.(told)
    })
  })
  let asked = 0
  return {
    ...started,
    origin: `http://127.0.0.1:${started.port}`,
    ask: async (what) => {
      const id = ++asked
      const told = await new Promise<Told>((resolve) => {
        asking.set(id, resolve)
        child.send({ ...what, id })
      })
      asking.delete(id)
      if (told.failed !== undefined) throw new Error(told.failed)
    },
    said: () => said,
    close: async () => {
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}
