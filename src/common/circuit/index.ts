export { Circuit, CircuitOpenError } from './circuit.js';
