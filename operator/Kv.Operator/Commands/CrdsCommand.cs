using System.CommandLine;
using Kv.Operator.Api;

namespace Kv.Operator.Commands;

/// <summary><c>kv-operator crds DIRECTORY</c>: writes the CustomResourceDefinitions of our kinds.</summary>
internal static class CrdsCommand
{
    public static Command Create()
    {
        var directory = new Argument<DirectoryInfo>("directory") { Description = "Where to write; made if it is not there." };
        var command = new Command("crds", "Write the CustomResourceDefinitions as YAML, one file for each kind.") { directory };
        command.SetAction(parsed => Run(parsed.GetValue(directory)!));
        return command;
    }

    private static int Run(DirectoryInfo directory)
    {
        directory.Create();
        foreach (var (name, text) in CrdWriter.WriteAll())
        {
            var path = Path.Combine(directory.FullName, name);
            if (!File.Exists(path) || File.ReadAllText(path) != text)
            {
                File.WriteAllText(path, text);
                Console.WriteLine($"wrote {path}");
            }
        }

        return 0;
    }
}
