using Kv.Simulation.Stories;

namespace Kv.Simulation.Commands;

/// <summary>Prints the stories; with a directory, writes each into its file there.</summary>
internal static class StoriesCommand
{
    public static int Run(string[] arguments)
    {
        foreach (var story in AllStories.All)
        {
            var text = story.Tell();
            if (arguments is [var directory])
            {
                File.WriteAllText(Path.Combine(directory, story.Name + ".txt"), text);
            }
            else
            {
                Console.WriteLine($"== {story.Name}\n{text}");
            }
        }

        return 0;
    }
}
