using System.CommandLine;
using Kv.Operator.Commands;

var root = new RootCommand("Runs key-value clusters: on Kubernetes, or as processes on this machine.") { CrdsCommand.Create() };
return await root.Parse(args).InvokeAsync();
