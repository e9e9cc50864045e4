export { ApiProblem, jsonSchema } from './api-problem.js';
