// SPDX-License-Identifier: Apache-2.0
import type { Ports } from '#core/ports/needs.ts'
import type { Worker } from '#core/server/job/advance.ts'
import type { RoleApp } from '../host/app.ts'
import type { Serving } from '../host/serving.ts'
import { createWorker, workerApp } from './app.ts'
import type { role } from './role.ts'

type WorkerServing = Pick<Serving, 'home' | 'hosting' | 'policy' | 'dated' | 'logKeys'>

/** Opens the worker. It appends, so it judges blocks by the clock by which the writer does. */
export function open(ports: Ports<(typeof role)['needs']>, serving: Serving): RoleApp {
  return workerApp(dated(ports, serving), serving.home, openWorker(ports, serving), serving.hosting)
}

/** What does the jobs, for whoever asks and for a schedule. */
export function openWorker(ports: Ports<(typeof role)['needs']>, serving: WorkerServing): Worker {
  const { home, hosting, policy, logKeys: keys } = serving
  return createWorker(dated(ports, serving), home, { keys, policy }, hosting)
}

function dated(ports: Ports<(typeof role)['needs']>, { dated: now }: Pick<Serving, 'dated'>) {
  return { ...ports, now }
}
