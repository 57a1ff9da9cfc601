// The API as a page. No plug-ins, nothing from elsewhere: the directory works from any static host.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  withCredentials: true, // the refresh token is in a cookie
  validatorUrl: null,
});
