// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openErasing } from './alone.ts'

// An erasure was ordered at least three days before: ten seconds more are nothing.
onAzure('eraser', { wakes: openErasing }, { table: 'jobs', pollMs: 10_000, schedule: '0 17 * * * *' })
