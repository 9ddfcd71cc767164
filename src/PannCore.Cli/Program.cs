return await PannCore.Cli.Pann.RunAsync(args);
