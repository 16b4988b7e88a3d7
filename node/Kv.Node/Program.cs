using Kv.Node;

return await NodeProgram.RunAsync(args);
