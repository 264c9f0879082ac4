// SPDX-License-Identifier: Apache-2.0
import { onAzure } from '../host/cloud/azure.ts'
import { openSequencing } from './alone.ts'

onAzure('sequencer', { wakes: openSequencing }, { table: 'dirty', schedule: '0 * * * * *' })
