// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openMonitoring } from './alone.ts'

onAzure('monitor', { wakes: openMonitoring }, { schedule: '30 * * * * *' })
