export { BindingModule } from './binding.module.js';
