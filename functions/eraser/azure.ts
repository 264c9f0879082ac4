// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openErasing } from './alone.ts'

onAzure('eraser', { wakes: openErasing }, { table: 'jobs', schedule: '0 17 * * * *' })
