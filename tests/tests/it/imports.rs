//! imports come with the maps
